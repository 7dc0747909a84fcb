// The waiting room: nobody but the doctor comes in before the doctor says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorOf, knock } from '../lib/door.js';
import { inNeighbourhood } from '../lib/neighbourhood.js';
import { sql } from '../lib/time_travel.js';
import { eachStore, eventually, sessions, World } from '../lib/world.js';

const env = { RATE_LIMIT: 'off' };
const rounds = Number(process.env.DOOR_ROUNDS ?? 20);

async function waiting(world, changes = {}) {
    const visit = await world.visit({ waiting_room: true, ...changes });
    return { visit, door: doorOf(world, visit) };
}

eachStore(
    'the waiting room',
    (world) => {
        test('a whole visit: wait, be let in, go and come back', async () => {
            const { visit, door } = await waiting(world());
            assert.equal(visit.booked.waiting_room, true);
            const asked = await visit.join(visit.patient, { device_type: 'web' });
            assert.equal(asked.status, 202, asked.text);
            assert.equal(asked.headers['retry-after'], '5');
            assert.deepEqual([asked.body.status, asked.body.position, asked.body.role], ['WAITING_ROOM', 1, 'PATIENT']);
            assert.equal(asked.body.scheduled_start_time, visit.booked.scheduled_start_time);
            assert.ok(!asked.text.includes('join_token') && !asked.text.includes('meeting_id'));
            const again = await visit.join(visit.patient);
            assert.deepEqual([again.status, again.body.waiting_since], [202, asked.body.waiting_since]);

            const seen = (await visit.get()).body;
            assert.deepEqual([seen.status, seen.meeting_id, seen.actual_start_time, seen.patient_joined_at], ['SCHEDULED', null, null, null]);
            assert.deepEqual(seen.attendees.map((each) => [each.user_id, each.admission, each.joined_at, each.attendee_minutes]), [[visit.patientId, 'WAITING', null, 0]]);
            const queue = await door.queue();
            assert.deepEqual(queue.body.waiting.map((each) => [each.position, each.user_id, each.role]), [[1, visit.patientId, 'PATIENT']]);
            assert.equal((await visit.join(visit.doctor)).status, 200, 'the doctor passes');
            assert.equal((await visit.get()).body.status, 'WAITING');
            assert.equal((await visit.join(visit.patient)).status, 202, 'that the doctor is there changes nothing');

            const admitted = await door.admit(visit.patientId);
            assert.equal(admitted.status, 200, admitted.text);
            assert.deepEqual((await door.queue()).body.waiting, []);
            const joined = await visit.join(visit.patient);
            assert.equal(joined.status, 200, joined.text);
            assert.ok(joined.body.attendee.join_token);
            assert.equal((await visit.get()).body.status, 'ACTIVE');
            assert.equal((await visit.leave(visit.patient)).status, 200);
            assert.equal((await visit.join(visit.patient)).status, 200, 'who was let in comes back');
            assert.equal((await visit.end(visit.doctor)).status, 200);
            const trail = (await visit.events()).body;
            assert.deepEqual(
                trail.filter((each) => /WAITING|ADMITTED/.test(each.event_type)).map((each) => [each.event_type, each.user_id]),
                [['USER_WAITING', visit.patientId], ['USER_ADMITTED', visit.doctorId]],
            );
        });

        test('who is denied or removed stays out until admitted, also at the meeting itself', async () => {
            const { visit, door } = await waiting(world());
            await visit.join(visit.patient);
            assert.equal((await door.deny(visit.patientId)).status, 200);
            const denied = await visit.join(visit.patient);
            assert.deepEqual([denied.status, denied.body.detail], [403, 'The doctor has not let you into this session']);
            assert.equal((await door.admit(visit.patientId)).status, 200);
            const joined = await visit.join(visit.patient);
            assert.equal(joined.status, 200);
            assert.equal((await door.deny(visit.patientId)).status, 409, 'they are in');
            assert.equal(await knock(joined.body), 0);

            assert.equal((await door.remove(joined.body.attendee.attendee_id)).status, 200);
            assert.equal(await knock(joined.body), 4403);
            const removed = await visit.join(visit.patient);
            assert.deepEqual([removed.status, removed.body.detail], [403, 'The doctor has removed you from this session']);
            const gone = (await visit.get()).body.attendees.find((each) => each.role === 'PATIENT');
            assert.deepEqual([gone.connected, gone.admission], [false, 'REMOVED']);
            assert.ok(gone.left_at);
            assert.equal((await door.remove(visit.patientId)).status, 200, 'again is fine');
            assert.equal((await door.admit(visit.patientId)).status, 200);
            assert.equal((await visit.join(visit.patient)).status, 200);
            const types = await door.types();
            assert.equal(types.filter((each) => each === 'USER_REMOVED').length, 1);
            assert.ok(types.indexOf('USER_DENIED') < types.indexOf('USER_ADMITTED'));
        });

        test('a session without a waiting room lets people in, and the doctor can still remove them', async () => {
            const visit = await world().visit();
            const door = doorOf(world(), visit);
            assert.equal(visit.booked.waiting_room, false);
            const joined = await visit.join(visit.patient);
            assert.equal(joined.status, 200);
            assert.deepEqual((await door.queue()).body, { session_id: visit.id, waiting_room: false, waiting: [] });
            assert.equal((await door.remove(visit.patientId)).status, 200);
            assert.equal(await knock(joined.body), 4403);
            assert.equal((await visit.join(visit.patient)).status, 403);
        });

        test('who may do what, and what cannot be', async () => {
            const { visit, door } = await waiting(world());
            await visit.join(visit.patient);
            const stranger = world().token('DOCTOR', 'another');
            for (const word of ['admit', 'deny', 'remove']) {
                for (const token of [visit.patient, stranger, world().admin]) {
                    assert.equal((await door[word](visit.patientId, token)).status, 403);
                }
                assert.equal((await door[word]('nobody')).status, 404);
                assert.equal((await world().client.request('POST', `${sessions}/nothing/waiting-room/34/${word}`, { token: visit.doctor })).status, 404);
            }
            assert.equal((await door.queue(world().admin)).status, 200);
            for (const token of [visit.patient, stranger]) assert.equal((await door.queue(token)).status, 403);
            await visit.join(visit.doctor);
            assert.equal((await door.remove(visit.doctorId)).status, 409);
            assert.equal((await visit.cancel(visit.doctor)).status, 200);
            assert.equal((await door.admit(visit.patientId)).status, 400);
            assert.deepEqual((await door.queue()).body.waiting, []);
            assert.equal((await visit.join(visit.patient)).status, 400);
            for (const bad of [3, [], 'perhaps']) {
                const booking = world().booking(world().pair(), { waiting_room: bad });
                assert.equal((await world().client.post(sessions, world().admin, booking)).status, 422, JSON.stringify(bad));
            }
        });

        test('who leaves the queue, or falls silent, is not in it', async () => {
            const { visit, door } = await waiting(world());
            await visit.join(visit.patient);
            assert.equal((await visit.leave(visit.patient)).status, 200);
            assert.deepEqual((await door.queue()).body.waiting, []);
            await visit.join(visit.patient);
            const past = world().postgres ? "waiting_seen_at - interval '61 seconds'" : 'waiting_seen_at - 61000000';
            await sql(world(), `UPDATE video_consultation_attendees SET waiting_seen_at = ${past} WHERE session_id = '${visit.id}'`);
            assert.deepEqual((await door.queue()).body.waiting, []);
            const first = (await visit.get()).body;
            assert.equal(first.status, 'SCHEDULED');
            assert.equal((await visit.join(visit.patient)).body.position, 1);
            assert.deepEqual((await door.types()).filter((each) => each.includes('WAITING')), ['USER_WAITING', 'USER_STOPPED_WAITING', 'USER_WAITING', 'USER_WAITING']);
        });

        test('races: two admissions are one, and an admission against a leave ends in one of two ways', async () => {
            for (let round = 0; round < rounds; ++round) {
                const { visit, door } = await waiting(world());
                await visit.join(visit.patient);
                const answers = await Promise.all([door.admit(visit.patientId), door.admit(visit.patientId), visit.leave(visit.patient)]);
                assert.deepEqual(answers.map((each) => each.status), [200, 200, 200]);
                assert.equal((await door.types()).filter((each) => each === 'USER_ADMITTED').length, 1);
                assert.equal((await visit.join(visit.patient)).status, 200);
            }
        });

        test('races: a removal against a join never leaves a removed person in', async () => {
            for (let round = 0; round < rounds; ++round) {
                const { visit, door } = await waiting(world());
                await visit.join(visit.patient);
                await door.admit(visit.patientId);
                const [joined] = await Promise.all([visit.join(visit.patient), door.remove(visit.patientId)]);
                assert.ok([200, 403].includes(joined.status), joined.text);
                const patient = (await visit.get()).body.attendees.find((each) => each.role === 'PATIENT');
                assert.deepEqual([patient.connected, patient.admission], [false, 'REMOVED']);
                if (joined.status === 200) assert.equal(await knock(joined.body), 4403);
            }
        });
    },
    { env },
);

test('WAITING_ROOM=true is for all bookings that do not say otherwise', async () => {
    const world = await World.open({ env: { ...env, WAITING_ROOM: 'true' } });
    try {
        const visit = await world.visit();
        assert.equal((await visit.join(visit.patient)).status, 202);
        const open = await world.visit({ waiting_room: false });
        assert.equal((await open.join(open.patient)).status, 200);
    } finally {
        await world.close();
    }
});

inNeighbourhood('the waiting room of meetings on AWS Chime', { chime: true, env }, (here) => {
    test('no meeting before somebody is let in; a removal takes the attendee away at AWS', async () => {
        const { chime, world } = here();
        const { visit, door } = await waiting(world);
        const before = (await chime.state()).total;
        await visit.join(visit.patient);
        assert.equal((await chime.state()).total, before);
        await door.admit(visit.patientId);
        const first = (await visit.join(visit.patient)).body;
        assert.equal((await visit.join(visit.doctor)).status, 200);
        const there = async (id) => (await chime.meeting(first.meeting_id)).Attendees.some((each) => each.AttendeeId === id);
        assert.ok(await there(first.attendee.attendee_id));
        assert.equal((await door.remove(visit.patientId)).status, 200);
        await eventually(async () => !(await there(first.attendee.attendee_id)), 'the attendee to be deleted');
        assert.equal((await visit.join(visit.patient)).status, 403);
        await door.admit(visit.patientId);
        const back = (await visit.join(visit.patient)).body;
        assert.equal(back.meeting_id, first.meeting_id);
        assert.notEqual(back.attendee.attendee_id, first.attendee.attendee_id);
        assert.ok(await there(back.attendee.attendee_id));
    });

    test('a guest is an attendee of the meeting, and a revoked one is none', async () => {
        const { chime, world } = here();
        const visit = await world.visit();
        const door = doorOf(world, visit);
        await visit.join(visit.doctor);
        const guest = await door.guest();
        const joined = await visit.join(guest.token);
        assert.equal(joined.status, 200, joined.text);
        const meeting = () => chime.meeting(joined.body.meeting_id);
        assert.equal((await meeting()).Attendees.find((each) => each.AttendeeId === joined.body.attendee.attendee_id)?.ExternalUserId, guest.userId);
        assert.ok(!JSON.stringify(await meeting()).includes('Ada'), 'AWS is told no names');
        assert.equal((await door.revoke(guest.userId)).status, 204);
        await eventually(async () => (await meeting()).Attendees.every((each) => each.ExternalUserId !== guest.userId), 'the guest to be deleted');
    });
});
