// Finished visits whose time is over, in a running service.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, sql } from '../lib/time_travel.js';
import { eachStore, eventually } from '../lib/world.js';

/** Planned, held and last touched so many days ago. */
async function old(world, id, days) {
    await age(world, id, days * 24 * 60);
    const moved = ['scheduled_start_time', 'scheduled_end_time', 'updated_at', 'created_at'].map(
        (name) => `${name} = ${name} - ${world.postgres ? `interval '${days} days'` : days * 86_400_000_000}`,
    );
    await sql(world, `update video_consultation_sessions set ${moved.join(', ')} where session_id = '${id}'`);
}
for (const mode of ['anonymise', 'purge']) {
    eachStore(
        `retention: ${mode}`,
        (world) => {
            test('old finished visits go, young and open ones stay, audit and figures stay', async () => {
                const { client, admin } = { client: world().client, admin: world().admin };
                const gone = await (await world().visit({ chief_complaint: 'marked complaint' })).to('COMPLETED');
                const young = await (await world().visit()).to('COMPLETED');
                const open = await (await world().visit()).to('WAITING');
                const figures = async () => {
                    const { body } = await client.get('/api/video/metrics/usage', admin);
                    return [body.total_sessions_current_month, body.total_attendee_minutes_current_month];
                };
                const before = await figures();
                await old(world(), open.id, 31);
                await sql(world(), `update video_consultation_sessions set created_at = ${world().postgres ? "created_at + interval '31 days'" : 'created_at + 31*86400000000'} where session_id = '${open.id}'`);
                await old(world(), gone.id, 31);
                const path = gone.path;
                const retired = async () => {
                    const { status, body } = await client.get(path, admin);
                    return mode === 'purge' ? status === 404 : body.patient_id.startsWith('anon-');
                };
                await eventually(retired, 'the old visit is retired', 60_000);
                assert.equal((await young.get()).status, 200);
                assert.equal((await open.get()).body.patient_id, open.patientId);
                const rows = await sql(world(), `select event_type from video_consultation_events where session_id = '${gone.id}'`);
                assert.ok(rows.includes('SESSION_CREATED') && rows.includes(mode === 'purge' ? 'SESSION_PURGED' : 'SESSION_ANONYMISED'), rows.join());
                const people = `user_id in ('${gone.patientId}', '${gone.doctorId}')`;
                for (const table of ['attendees', 'attendance', 'metrics']) {
                    assert.deepEqual(await sql(world(), `select count(*) from video_consultation_${table} where ${people}`), ['0'], table);
                }
                if (mode === 'anonymise') {
                    const { body } = await client.get(path, admin);
                    assert.deepEqual([body.chief_complaint, body.session_notes, body.appointment_id], [null, null, null]);
                    assert.match(body.doctor_id, /^anon-[0-9a-f]{32}$/);
                }
                assert.equal((await client.get(`/api/video/patients/${gone.patientId}/export`, gone.patient)).body.sessions.length, 0);
                assert.equal((await figures())[1], before[1]);
            });
        },
        { env: { RETENTION_DAYS: '30', RETENTION_MODE: mode } },
    );
}
