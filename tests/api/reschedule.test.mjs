// A visit is moved to another time: by whom, when, and what becomes of what was given for the old one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../lib/time_travel.js';
import { eachStore } from '../lib/world.js';

const later = (hours) => new Date(Math.floor(Date.now() / 60_000) * 60_000 + hours * 3600_000).toISOString().replace('.000Z', 'Z');
const minutes = (from, to) => (new Date(to) - new Date(from)) / 60_000;

eachStore('rescheduling', (world) => {
    const patch = (visit, token, body, match = '*', options = {}) =>
        world().client.request('PATCH', visit.path, { token, body, headers: match === null ? {} : { 'If-Match': match }, ...options });

    test('by doctor, patient and administrators: start, length, or both', async () => {
        const visit = await world().visit();
        const start = later(26);
        const first = await patch(visit, visit.doctor, { scheduled_start_time: start });
        assert.equal(first.status, 200, first.text);
        assert.deepEqual([first.body.scheduled_start_time, first.body.consultation_duration_minutes], [start, 30]);
        assert.equal(minutes(first.body.scheduled_start_time, first.body.scheduled_end_time), 30);
        const second = await patch(visit, visit.patient, { consultation_duration_minutes: 45 });
        assert.equal(minutes(start, second.body.scheduled_end_time), 45);
        const third = await patch(visit, world().admin, { scheduled_start_time: later(50), consultation_duration_minutes: '60' });
        assert.equal(minutes(later(50), third.body.scheduled_end_time), 60);
        assert.deepEqual((await visit.get()).body, third.body);
        const trail = (await visit.events()).body;
        assert.deepEqual(
            trail.map((each) => [each.event_type, each.user_id]).slice(1),
            [visit.doctorId, visit.patientId, 'admin-1'].map((id) => ['SESSION_RESCHEDULED', id]),
        );
    });

    test('others: 403; no session: 404; no token: 401', async () => {
        const visit = await world().visit();
        const other = world().pair();
        for (const token of [other.doctor, other.patient, world().token('PHARMACIST', visit.patientId)]) {
            assert.equal((await patch(visit, token, { consultation_duration_minutes: 45 })).status, 403);
        }
        assert.equal((await patch({ path: '/api/video/sessions/nothing' }, visit.doctor, { consultation_duration_minutes: 45 })).status, 404);
        assert.equal((await patch(visit, undefined, { consultation_duration_minutes: 45 })).status, 401);
    });

    test('the rules of a booking', async () => {
        const visit = await world().visit();
        const wrong = [
            {}, { scheduled_start_time: null, consultation_duration_minutes: null }, { consultation_duration_minutes: 14 },
            { consultation_duration_minutes: 121 }, { consultation_duration_minutes: 30.5 }, { scheduled_start_time: 'soon' },
            { scheduled_start_time: '9999-12-31T23:30:00Z' }, { scheduled_start_time: [] },
        ];
        for (const body of wrong) assert.equal((await patch(visit, visit.doctor, body)).status, 422, JSON.stringify(body));
        assert.equal((await patch(visit, visit.doctor, undefined, '*', { text: '{' })).status, 422);
        const zoned = await patch(visit, visit.doctor, { scheduled_start_time: '2031-05-01T10:00:00+05:30' });
        assert.equal(zoned.body.scheduled_start_time, '2031-05-01T04:30:00Z');
        const past = await patch(visit, visit.doctor, { scheduled_start_time: '2020-05-01T10:00:00Z' });
        assert.equal(past.status, 200, 'as a booking may be of the past');
    });

    test('If-Match: what was read must be what is there', async () => {
        const visit = await world().visit();
        const move = { consultation_duration_minutes: 45 };
        assert.equal((await patch(visit, visit.doctor, move, null)).status, 428);
        const { etag } = (await visit.get()).headers;
        assert.match(etag, /^"\d+"$/);
        for (const stale of ['"999"', '"x"', '7', '', ', ,', 'W/"999"', '"-1"']) {
            assert.equal((await patch(visit, visit.doctor, move, stale)).status, 412, stale);
        }
        const done = await patch(visit, visit.doctor, move, etag);
        assert.equal(done.status, 200);
        assert.notEqual(done.headers.etag, etag);
        assert.equal((await visit.get()).headers.etag, done.headers.etag);
        assert.equal((await patch(visit, visit.doctor, { consultation_duration_minutes: 60 }, etag)).status, 412);
        const weak = `"999", W/${done.headers.etag}`;
        assert.equal((await patch(visit, visit.doctor, { consultation_duration_minutes: 60 }, weak)).status, 200);
    });

    test('of many who read the same, one moves it', async () => {
        const visit = await world().visit();
        const { etag } = (await visit.get()).headers;
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, i) => patch(visit, i % 2 ? visit.doctor : visit.patient, { scheduled_start_time: later(100 + i) }, etag)),
        );
        assert.deepEqual([...new Set(answers.map((each) => each.status))].sort(), [200, 412]);
        const winner = answers.filter((each) => each.status === 200);
        assert.equal(winner.length, 1);
        assert.equal((await visit.get()).body.scheduled_start_time, winner[0].body.scheduled_start_time);
    });

    test('to the time that it has: nothing happens', async () => {
        const visit = await world().visit();
        const { etag } = (await visit.get()).headers;
        const same = await patch(visit, visit.doctor, { scheduled_start_time: visit.booked.scheduled_start_time, consultation_duration_minutes: 30 }, etag);
        assert.deepEqual([same.status, same.headers.etag], [200, etag]);
        assert.equal((await visit.events()).body.length, 1);
    });

    test('only while it is SCHEDULED', async () => {
        for (const status of ['WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED']) {
            const visit = await (await world().visit()).to(status);
            const refused = await patch(visit, visit.doctor, { scheduled_start_time: later(30) });
            assert.deepEqual([refused.status, refused.body.detail], [409, `Cannot move session with status: ${status}`]);
        }
    });

    test('the old meeting is given up, the next one is another', async () => {
        const visit = await world().visit();
        const started = await visit.start(world().admin);
        const old = started.body.meeting_id;
        assert.ok(old);
        const moved = await patch(visit, visit.doctor, { scheduled_start_time: later(30) });
        assert.deepEqual([moved.body.meeting_id, moved.body.status], [null, 'SCHEDULED']);
        const joined = await visit.join(visit.patient);
        assert.equal(joined.status, 200);
        assert.notEqual(joined.body.meeting_id, old);
        // Twice more, and never one that was there before.
        const other = await world().visit();
        const seen = new Set();
        for (let round = 0; round < 3; ++round) {
            seen.add((await other.start(world().admin)).body.meeting_id);
            await patch(other, other.doctor, { scheduled_start_time: later(40 + round) });
        }
        seen.add((await other.join(other.doctor)).body.meeting_id);
        assert.equal(seen.size, 4);
    });

    test('move against join: one after the other', async () => {
        for (let round = 0; round < 20; ++round) {
            const visit = await world().visit();
            const [moved, joined] = await Promise.all([patch(visit, visit.doctor, { scheduled_start_time: later(60) }), visit.join(visit.patient)]);
            assert.equal(joined.status, 200);
            assert.ok([200, 409].includes(moved.status));
            const session = (await visit.get()).body;
            assert.equal(session.status, 'WAITING');
            assert.equal(session.meeting_id, joined.body.meeting_id);
            assert.equal(session.scheduled_start_time, moved.status === 200 ? later(60) : visit.booked.scheduled_start_time);
        }
    });

    test('the platform is told, with old and new times; an appointment’s link stays', async () => {
        const appointment_id = world().newAppointment();
        const visit = await world().visit({ booking_type: 'CLINIC_BASED', appointment_id });
        const moved = await patch(visit, visit.patient, { scheduled_start_time: later(30), consultation_duration_minutes: 20 });
        assert.equal(moved.status, 200);
        const rows = await sql(world(), `select routing_key from video_consultation_outbox where session_id = '${visit.id}' order by sequence`);
        assert.deepEqual(rows, ['video.session.created', 'video.session.rescheduled']);
    });
});
