// The defects of the service that this one replaces, each shown to be absent. The numbers are the contract's.
// D10 and D11 concern the message queue; D12 (messages in the transaction of the change) is with the store, D23 (the room
// is closed for good) with the browser tests, D20 with the races.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eachStore, eventually, sessions, soon } from '../lib/world.js';

/** Everything that the store keeps, as one text. */
async function stored(world) {
    if (world.postgres) return await world.postgres.dump(world.database);
    const data = join(world.server.folder, 'data');
    return readdirSync(data).map((name) => join(data, name)).filter((path) => statSync(path).isFile()).map((path) => readFileSync(path, 'latin1')).join('\n');
}

const usageOf = async (world) => (await world.client.get('/api/video/metrics/usage', world.admin)).body;

eachStore('defects', (world) => {
    test('D1: an anonymous caller reads, writes and starts nothing', async () => {
        const visit = await world().visit();
        for (const token of [undefined, world().server.token('DOCTOR', visit.doctorId, -10)]) {
            for (const act of [visit.get, visit.events, visit.join, visit.start, visit.leave, visit.end, visit.cancel, (t) => visit.notes(t, 'forged')]) {
                // `get` and `events` would take the doctor's token for an unset one.
                const answer = await act(token ?? '');
                assert.equal(answer.status, 401);
                assert.ok(!answer.text.includes('join_token'));
            }
        }
        const after = (await visit.get()).body;
        assert.deepEqual([after.status, after.session_notes], ['SCHEDULED', null]);
    });

    test('D2: other roles create nothing; doctors and patients only for themselves', async () => {
        const pair = world().pair();
        for (const role of ['PHARMACIST', 'SERVICE', 'NURSE']) {
            assert.equal((await world().client.post(sessions, world().token(role, pair.doctorId), world().booking(pair))).status, 403);
        }
        assert.equal((await world().client.post(sessions, world().pair().doctor, world().booking(pair))).status, 403);
    });

    test('D3: the meeting is made at the first join, not at booking', async () => {
        const visit = await world().visit();
        assert.equal(visit.booked.meeting_id, null);
        assert.equal((await visit.get()).body.meeting_id, null);
        const joined = (await visit.join(visit.patient)).body;
        assert.equal((await visit.get()).body.meeting_id, joined.meeting_id);
    });

    test('D4: /start never revives a closed session', async () => {
        for (const status of ['COMPLETED', 'CANCELLED']) {
            const visit = await (await world().visit()).to(status);
            const before = (await visit.get()).body;
            for (const token of [visit.doctor, world().admin]) {
                const answer = await visit.start(token);
                assert.deepEqual([answer.status, answer.body], [400, { detail: `Cannot start session with status: ${status}` }]);
            }
            assert.deepEqual((await visit.get()).body, before);
        }
    });

    test('D5: whoever returns gets their identity in the meeting that is, not in one that was', async () => {
        const visit = await (await world().visit()).to('ACTIVE');
        const first = (await visit.join(visit.patient)).body;
        await visit.leave(visit.patient);
        const again = (await visit.join(visit.patient)).body;
        assert.equal(again.meeting_id, first.meeting_id);
        assert.equal(again.meeting_id, (await visit.get()).body.meeting_id);
        assert.equal(again.attendee.external_user_id, first.attendee.external_user_id);
        assert.ok(again.attendee.join_token);
        assert.equal((await visit.get()).body.attendees.length, 2);
    });

    test('D6: the first join sets the actual start and makes it WAITING', async () => {
        const visit = await world().visit();
        await visit.join(visit.patient);
        const waiting = (await visit.get()).body;
        assert.equal(waiting.status, 'WAITING');
        assert.ok(waiting.actual_start_time);
        assert.equal(waiting.duration_minutes, 0);
        await visit.join(visit.doctor);
        const active = (await visit.get()).body;
        assert.equal(active.actual_start_time, waiting.actual_start_time);
    });

    test('D7: minutes of everybody still inside at end or cancel count', async () => {
        const before = (await usageOf(world())).total_attendee_minutes_current_month;
        const ended = await (await world().visit()).to('COMPLETED');
        assert.equal((await ended.get()).body.attendee_minutes, 2);
        const waiting = await (await world().visit()).to('WAITING');
        await waiting.cancel(waiting.patient);
        assert.equal((await waiting.get()).body.attendee_minutes, 1);
        assert.equal((await usageOf(world())).total_attendee_minutes_current_month, before + 3);
    });

    test('D8: leaving again counts nothing again; coming back opens a new interval', async () => {
        const before = (await usageOf(world())).total_attendee_minutes_current_month;
        const visit = await (await world().visit()).to('ACTIVE');
        const left = (await visit.leave(visit.patient)).body;
        const again = (await visit.leave(visit.patient)).body;
        assert.equal(again.patient_left_at, left.patient_left_at);
        assert.equal((await visit.events()).body.filter((each) => each.event_type === 'USER_LEFT').length, 1);
        await visit.join(visit.patient);
        const back = (await visit.get()).body;
        assert.equal(back.patient_left_at, null);
        assert.equal(back.attendees[1].connected, true);
        assert.equal(back.patient_joined_at, left.patient_joined_at);
        await visit.end(visit.doctor);
        await visit.leave(visit.patient);
        assert.equal((await visit.get()).body.attendee_minutes, 2);
        assert.equal((await usageOf(world())).total_attendee_minutes_current_month, before + 2);
    });

    test('D9: ending without notes keeps the notes', async () => {
        for (const body of [{}, { session_notes: null }, { session_notes: '' }, { connection_quality_rating: 4 }]) {
            const visit = await (await world().visit()).to('ACTIVE');
            await visit.notes(visit.doctor, 'Blood pressure 120/80.');
            assert.equal((await visit.end(visit.doctor, body)).body.session_notes, 'Blood pressure 120/80.');
        }
        const replaced = await (await world().visit()).to('ACTIVE');
        await replaced.notes(replaced.doctor, 'draft');
        assert.equal((await replaced.end(replaced.doctor, { session_notes: 'final' })).body.session_notes, 'final');
    });

    test('D13: a repeated booking makes no second session', async () => {
        const { client } = world();
        const pair = world().pair();
        const booking = world().booking(pair, { booking_type: 'CLINIC_BASED', appointment_id: world().newAppointment() });
        const first = await client.post(sessions, pair.patient, booking);
        const second = await client.post(sessions, pair.doctor, booking);
        assert.deepEqual([first.status, second.status], [201, 200]);
        assert.deepEqual(second.body, first.body);
        const moved = await client.post(sessions, world().admin, { ...booking, scheduled_start_time: '2097-01-01T10:00:00Z' });
        assert.deepEqual([moved.status, moved.body.session_id], [200, first.body.session_id]);
        const stranger = world().pair();
        const stolen = await client.post(sessions, stranger.patient, { ...booking, patient_id: stranger.patientId });
        assert.equal(stolen.status, 409);
        assert.ok(!stolen.text.includes(first.body.session_id));
        // A cancelled one makes room.
        await client.post(`${sessions}/${first.body.session_id}/cancel`, pair.patient, { cancellation_reason: 'Another day suits better.' });
        const anew = await client.post(sessions, pair.patient, booking);
        assert.equal(anew.status, 201);
        assert.notEqual(anew.body.session_id, first.body.session_id);
    });

    test('D13: an idempotency key gives the first answer again, to its owner and for the same request', async () => {
        const { client } = world();
        const pair = world().pair();
        const booking = world().booking(pair);
        const send = (token, body, key = 'k-1') => client.post(sessions, token, body, { 'Idempotency-Key': key });
        const first = await send(pair.patient, booking);
        assert.equal(first.status, 201);
        const again = await send(pair.patient, { ...booking, consultation_duration_minutes: '30', unknown: 1 });
        assert.deepEqual([again.status, again.body], [201, first.body]);
        // Also when things have moved on.
        await client.post(`${sessions}/${first.body.session_id}/join`, pair.patient, {});
        assert.deepEqual((await send(pair.patient, booking)).body, first.body);
        const other = await send(pair.patient, { ...booking, consultation_duration_minutes: 60 });
        assert.deepEqual([other.status, other.body], [422, { detail: 'Idempotency-Key was used before with another request' }]);
        const doctors = await send(pair.doctor, booking);
        assert.equal(doctors.status, 201);
        assert.notEqual(doctors.body.session_id, first.body.session_id);
        const all = await Promise.all(Array.from({ length: 10 }, () => send(pair.patient, booking, 'k-2')));
        assert.deepEqual([...new Set(all.map((each) => `${each.status} ${each.body.session_id}`))].length, 1);
        assert.equal((await client.get(sessions, pair.patient)).body.total, 3);
    });

    test('D14: administrators see all sessions', async () => {
        const visit = await world().visit({ scheduled_start_time: '2399-01-01T00:00:00Z' });
        for (const role of ['ADMIN', 'CLINIC_ADMIN', 'SYS_ADMIN']) {
            const list = (await world().client.get(sessions, world().token(role, 'boss'))).body;
            assert.ok(list.sessions.some((each) => each.session_id === visit.id));
        }
        await visit.cancel(visit.doctor);
    });

    test('D15: times with a zone and Unix times are taken', async () => {
        for (const given of ['2096-01-25T14:00:00Z', '2096-01-25T19:30:00+05:30', '2096-01-25T14:00:00', 3978338400, 3978338400000]) {
            assert.equal((await world().visit({ scheduled_start_time: given })).booked.scheduled_start_time, '2096-01-25T14:00:00Z', String(given));
        }
    });

    test('D16: a clinic booking needs its appointment, left out or null', async () => {
        const pair = world().pair();
        for (const appointment of [undefined, null, '']) {
            const answer = await world().client.post(sessions, pair.patient, world().booking(pair, { booking_type: 'CLINIC_BASED', appointment_id: appointment }));
            assert.equal(answer.status, 422);
            assert.equal(answer.body.detail[0].msg, 'Value error, appointment_id is required for clinic-based bookings');
        }
    });

    test('D17: nonsense in a query is 422, not 500', async () => {
        for (const target of [`${sessions}?status=IN_PROGRESS`, `${sessions}?status=CREATED`, `${sessions}/doctor/1?status=x`, '/api/video/metrics/usage?month=abc']) {
            assert.equal((await world().client.get(target, world().admin)).status, 422, target);
        }
    });

    test('D18: long texts are refused in words or cut, and never lock anybody out', async () => {
        const { client } = world();
        const pair = world().pair();
        for (const changes of [{ appointment_id: 'x'.repeat(37) }, { patient_id: 'x'.repeat(101) }, { doctor_id: 'x'.repeat(101) }]) {
            assert.equal((await client.post(sessions, world().admin, world().booking(pair, changes))).status, 422);
        }
        const longest = await client.post(sessions, world().admin, world().booking(pair, { doctor_id: 'd'.repeat(57), patient_id: 'ü'.repeat(56), appointment_id: 'a'.repeat(36) }));
        assert.equal(longest.status, 201);
        const doctor = await client.post(`${sessions}/${longest.body.session_id}/join`, world().token('DOCTOR', 'd'.repeat(57)), {});
        assert.equal(doctor.body.attendee.external_user_id.length, 64);
        const visit = await world().visit();
        const joined = await visit.join(visit.patient, { device_type: 'x'.repeat(2000), browser_info: `Mozilla/5.0 ${'ü'.repeat(5000)}` });
        assert.equal(joined.status, 200);
    });

    test('D21: health tells what the database says', async () => {
        const health = (await world().client.get('/health')).body;
        assert.deepEqual(
            { ...health, timestamp: undefined, version: undefined, outbox: undefined },
            { status: 'healthy', service: 'Video Consultation Service', version: undefined, timestamp: undefined, database: 'healthy', rabbitmq: 'disabled', aws_chime: 'not configured',
                outbox: undefined, webhooks: { state: 'disabled', waiting: 0, oldest_seconds: 0, last_error: null }, jobs: { waiting: 0, oldest_seconds: 0 } },
        );
        assert.ok(Math.abs(Date.parse(health.timestamp) - Date.now()) < 60_000);
    });

    test('D24: answers to nonsense carry no trace of the store, and the log no personal data', async () => {
        const { client, server } = world();
        const pair = world().pair();
        const secret = 'Unmistakable complaint of a patient';
        const visit = await world().visit({ chief_complaint: secret }, pair);
        await visit.to('ACTIVE');
        await visit.notes(visit.doctor, `${secret} noted`);
        const joined = (await visit.join(visit.patient)).body;
        await visit.end(visit.doctor);
        for (const target of world().passable([`${sessions}/';drop%20table%20x;--`, `${sessions}/%00`, `${sessions}?page=9999999999999999999999`, `${sessions}/doctor/%27`])) {
            const answer = await client.get(target, world().admin);
            assert.doesNotMatch(answer.text, /select|insert|sqlite|libpq|syntax error at|exception/i, target);
            assert.ok(answer.status < 500);
        }
        assert.ok(!server.log.includes(secret));
        assert.ok(!server.log.includes(joined.attendee.join_token));
        assert.ok(!server.log.includes(visit.patient));
    });

    test('D25: a session that nobody came to becomes NO_SHOW, and its state is not counted as active', async () => {
        const past = new Date(Date.now() - 3 * 3600_000).toISOString();
        const visit = await world().visit({ scheduled_start_time: past });
        const missed = await eventually(async () => {
            const session = (await visit.get()).body;
            return session.status === 'NO_SHOW' && session;
        }, 'NO_SHOW', 30_000);
        assert.equal(missed.actual_start_time, null);
        const events = (await visit.events()).body;
        assert.deepEqual(events.map((each) => each.event_type), ['SESSION_CREATED', 'SESSION_NO_SHOW']);
        assert.equal(events[1].user_id, null);
        assert.equal((await visit.join(visit.patient)).status, 400);
        assert.equal((await visit.start(visit.doctor)).status, 400);
        assert.equal((await visit.cancel(visit.doctor)).status, 400);
    });

    test('D26: join tokens are not kept; the trail names who booked and that notes were written', async () => {
        const visit = await world().visit();
        const tokens = [(await visit.join(visit.patient)).body.attendee.join_token, (await visit.join(visit.doctor)).body.attendee.join_token];
        await visit.notes(visit.doctor, 'x');
        await visit.end(visit.doctor);
        const everything = await stored(world());
        assert.ok(everything.includes(visit.id), 'the store was read');
        for (const token of tokens) assert.ok(!everything.includes(token));
        const events = (await visit.events()).body;
        assert.equal(events[0].user_id, visit.patientId);
        assert.deepEqual(events.filter((each) => each.event_type === 'NOTES_UPDATED').map((each) => each.user_id), [visit.doctorId]);
    });

    test('D27: usage figures are not for everybody', async () => {
        for (const role of ['PATIENT', 'PHARMACIST', 'SERVICE']) {
            assert.equal((await world().client.get('/api/video/metrics/usage', world().token(role, '1'))).status, 403);
        }
    });

    test("D28: an administrator's /start prepares and answers, it does not change the state and then refuse", async () => {
        const visit = await world().visit();
        const answer = await visit.start(world().admin);
        assert.equal(answer.status, 200);
        assert.equal(answer.body.status, 'SCHEDULED');
        assert.equal(answer.body.actual_start_time, null);
    });

    test('D29: no origin gets credentials by a star; named ones do, others read nothing', async () => {
        const { client } = world();
        const ask = (Origin) => [
            client.request('OPTIONS', sessions, { headers: { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' } }),
            client.request('GET', sessions, { headers: { Origin }, token: world().admin }),
        ];
        for (const answer of await Promise.all(ask('https://elsewhere.example'))) {
            assert.equal(answer.status, 200);
            assert.equal(answer.headers['access-control-allow-origin'], undefined);
        }
        for (const answer of await Promise.all(ask('https://clinic.example'))) {
            assert.equal(answer.headers['access-control-allow-origin'], 'https://clinic.example');
            assert.equal(answer.headers['access-control-allow-credentials'], 'true');
        }
    });

    test('D30: every time in an answer says that it is UTC', async () => {
        const visit = await (await world().visit()).to('COMPLETED');
        const joined = await world().visit();
        const texts = [(await visit.get()).text, (await visit.events()).text, (await joined.join(joined.patient)).text, (await world().client.get('/health')).text];
        for (const text of texts) {
            const times = text.match(/"\d{4}-\d\d-\d\dT[^"]*"/g);
            assert.ok(times.length > 0);
            for (const time of times) assert.match(time, /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"$/);
        }
        assert.equal(visit.booked.scheduled_start_time, soon);
    });
}, { env: { NO_SHOW_GRACE_MINUTES: '0', CORS_ORIGINS: 'https://clinic.example' } });
