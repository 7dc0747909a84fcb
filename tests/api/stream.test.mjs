// What happens in a session, told while it happens.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { EventStream } from '../lib/event_stream.js';
import { Server } from '../lib/server.js';
import { eachStore, eventually, World } from '../lib/world.js';

const env = { RATE_LIMIT: 'off' };
const watch = (world, visit, token = visit.doctor, options = {}) =>
    EventStream.open(`${world.server.url}${visit.path}/stream`, { token, ...options });

/** Everybody who looks on has a look at what is told: ids and times, nothing else. */
function assertBare(stream) {
    for (const { event, data } of stream.events) {
        if (event === 'state') continue;
        assert.deepEqual(Object.keys(data), ['type', 'user_id', 'role', 'at']);
    }
}

eachStore(
    'streams',
    (world) => {
        test('a whole visit, at once', async () => {
            const visit = await world().visit({ chief_complaint: 'Marked complaint' });
            const stream = await watch(world(), visit);
            assert.equal(stream.status, 200);
            assert.equal(stream.headers['content-type'], 'text/event-stream');
            // A word to nginx, which keeps it to itself.
            if (!world().server.nodes) assert.equal(stream.headers['x-accel-buffering'], 'no');
            assert.equal(stream.headers['cache-control'], 'no-store');
            const { data: state } = await stream.next('state');
            assert.deepEqual([state.status, state.present, state.door], ['SCHEDULED', [], 'NONE']);
            assert.equal(state.scheduled_start_time, visit.booked.scheduled_start_time);

            assert.equal((await visit.join(visit.patient)).status, 200);
            const joined = await stream.next('joined');
            assert.deepEqual([joined.data.user_id, joined.data.role], [visit.patientId, 'PATIENT']);
            assert.deepEqual(stream.types, ['state', 'started', 'joined']);
            await visit.join(visit.doctor);
            assert.equal((await stream.next('joined', 2)).data.role, 'DOCTOR');
            await visit.leave(visit.patient);
            assert.equal((await stream.next('left')).data.user_id, visit.patientId);
            await visit.end(visit.doctor, { session_notes: 'Marked notes' });
            assert.equal((await stream.next('ended')).data.user_id, visit.doctorId);
            await stream.end();
            assert.equal(stream.broken, undefined);
            assert.deepEqual(stream.types, ['state', 'started', 'joined', 'joined', 'left', 'ended']);
            assertBare(stream);

            const trail = (await visit.events()).body;
            const ids = stream.events.filter((each) => each.id).map((each) => each.id);
            for (const id of ids) assert.ok(trail.some((each) => each.event_id === id));
        });

        test('cancelled; and a closed session is told of and over', async () => {
            const visit = await world().visit();
            const stream = await watch(world(), visit, visit.patient);
            await stream.next('state');
            await visit.cancel(visit.doctor, 'Marked reason of some length');
            assert.equal((await stream.next('cancelled')).data.user_id, visit.doctorId);
            await stream.end();
            assertBare(stream);
            const late = await watch(world(), visit);
            await late.end();
            assert.deepEqual(late.types, ['state']);
            assert.equal(late.events[0].data.status, 'CANCELLED');
        });

        test('Last-Event-ID goes on without a gap', async () => {
            const visit = await world().visit();
            const first = await watch(world(), visit);
            await first.next('state');
            await visit.join(visit.patient);
            await first.next('joined');
            first.close();
            await visit.join(visit.doctor);
            await visit.leave(visit.doctor);
            await visit.join(visit.doctor);
            const second = await watch(world(), visit, visit.doctor, { lastEventId: first.lastEventId });
            await second.next('joined', 2);
            assert.deepEqual(second.types, ['state', 'joined', 'left', 'joined']);
            assert.equal(second.events[0].id, undefined, 'who has not seen what comes next must ask for it again');
            // Somebody who knows no event that was here is told the state, and what comes.
            for (const lastEventId of ['00000000-0000-4000-8000-000000000000', 'x'.repeat(300)]) {
                const fresh = await watch(world(), visit, visit.doctor, { lastEventId });
                assert.equal((await fresh.next('state')).data.present.length, 2);
                fresh.close();
            }
            await visit.end(visit.doctor);
            await second.end();
            const third = await watch(world(), visit, visit.doctor, { lastEventId: second.events[1].id });
            await third.end();
            assert.deepEqual(third.types, ['state', 'left', 'joined', 'ended']);
        });

        test('for those who take part and administrators', async () => {
            const visit = await world().visit();
            const other = world().pair();
            for (const token of [other.doctor, other.patient, world().token('PHARMACIST', visit.doctorId)]) {
                assert.equal((await watch(world(), visit, token)).status, 403);
            }
            assert.equal((await watch(world(), visit, null)).status, 401);
            assert.equal((await watch(world(), { path: '/api/video/sessions/nothing' }, visit.doctor)).status, 404);
            const admin = await watch(world(), visit, world().admin);
            await admin.next('state');
            admin.close();
        });

        test('four streams of a person in each process, and no more until one is closed', async () => {
            const visit = await world().visit();
            const most = 4 * (world().server.nodes?.length ?? 1);
            const open = [];
            let refused;
            while (!refused && open.length <= most) {
                const stream = await watch(world(), visit);
                if (stream.status === 200) open.push(stream);
                else refused = stream;
            }
            assert.equal(refused?.status, 429);
            assert.ok(open.length >= 4);
            assert.ok(Number(refused.headers['retry-after']) > 0);
            assert.equal((await watch(world(), visit, visit.patient)).status, 200, 'others are not held up');
            for (const stream of open) stream.close();
            await eventually(async () => (await watch(world(), visit)).status === 200, 'a place that was left');
        });

        test('ends with its token', async () => {
            const visit = await world().visit();
            const stream = await watch(world(), visit, world().server.token('DOCTOR', visit.doctorId, 2));
            await stream.next('state');
            await stream.end();
            assert.equal(stream.broken, undefined);
        });

        test('a heartbeat shows that it lives', async () => {
            const visit = await world().visit();
            const stream = await watch(world(), visit);
            await eventually(() => stream.comments > 0, 'a comment', 30_000);
            stream.close();
        });

        test('a moved session', async () => {
            const visit = await world().visit();
            const stream = await watch(world(), visit, visit.patient);
            await stream.next('state');
            const moved = await world().client.request('PATCH', visit.path, {
                token: visit.doctor,
                body: { consultation_duration_minutes: 45 },
                headers: { 'If-Match': '*' },
            });
            assert.equal(moved.status, 200);
            assert.equal((await stream.next('rescheduled')).data.role, 'DOCTOR');
            stream.close();
        });

        test('the waiting room: the doctor of those who wait, everybody of themselves', async () => {
            const visit = await world().visit({ waiting_room: true });
            const { client } = world();
            const invited = await client.post(`${visit.path}/invitations`, visit.doctor, { role: 'RELATIVE', name: 'Marked name' });
            assert.equal(invited.status, 201, invited.text);
            const redeemed = await client.post('/api/video/invitations/redeem', undefined, { invitation: invited.body.invitation });
            assert.equal(redeemed.status, 200, redeemed.text);
            const guest = redeemed.body.access_token;
            const [doctors, patients, guests] = [await watch(world(), visit), await watch(world(), visit, visit.patient), await watch(world(), visit, guest)];
            for (const stream of [doctors, patients, guests]) await stream.next('state');

            assert.equal((await visit.join(visit.patient)).status, 202);
            assert.equal((await doctors.next('waiting')).data.user_id, visit.patientId);
            await patients.next('waiting');
            assert.equal((await client.request('POST', `${visit.path}/waiting-room/${visit.patientId}/admit`, { token: visit.doctor })).status, 200);
            const admitted = await doctors.next('admitted');
            assert.deepEqual([admitted.data.user_id, admitted.data.role], [visit.patientId, 'PATIENT']);
            await patients.next('admitted');
            assert.equal((await visit.join(visit.patient)).status, 200);
            await guests.next('joined');
            assert.deepEqual(guests.types, ['state', 'started', 'joined'], 'the door is none of a guest’s business');
            const later = await watch(world(), visit, visit.patient);
            assert.equal((await later.next('state')).data.door, 'ADMITTED');
            await visit.end(visit.doctor);
            await guests.end();
            assert.doesNotMatch(JSON.stringify([doctors.events, patients.events, guests.events]), /Marked/);
        });

        test('a moved session revokes invitations and empties the waiting room', async () => {
            const visit = await world().visit({ waiting_room: true });
            const { client } = world();
            const invited = await client.post(`${visit.path}/invitations`, visit.doctor, { role: 'INTERPRETER', name: 'Name' });
            assert.equal((await visit.join(visit.patient)).status, 202);
            const stream = await watch(world(), visit, visit.patient);
            assert.equal((await stream.next('state')).data.door, 'WAITING');
            const moved = await client.request('PATCH', visit.path, { token: visit.doctor, body: { consultation_duration_minutes: 45 }, headers: { 'If-Match': '*' } });
            assert.equal(moved.status, 200, moved.text);
            await stream.next('rescheduled');
            assert.deepEqual(stream.types, ['state', 'rescheduled'], 'invitations are the doctor’s business');
            assert.equal((await client.post('/api/video/invitations/redeem', undefined, { invitation: invited.body.invitation })).status, 410);
            const queue = await client.get(`${visit.path}/waiting-room`, visit.doctor);
            assert.doesNotMatch(queue.text, new RegExp(visit.patientId));
        });

        test('HEAD is answered, and a client that says nothing sensible is dropped', async () => {
            const visit = await world().visit();
            const head = await world().client.request('HEAD', `${visit.path}/stream`, { token: visit.doctor });
            assert.deepEqual([head.status, head.headers['content-type']], [200, 'text/event-stream']);
            const socket = net.connect(world().server.port, '127.0.0.1');
            socket.write(`GET ${visit.path}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${visit.doctor}\r\n\r\n`);
            await new Promise((resolve) => socket.once('data', resolve));
            const closed = new Promise((resolve) => socket.once('close', resolve));
            socket.on('error', () => {});
            socket.write('x'.repeat(200_000));
            await closed;
        });
    },
    { env },
);

describe('streams of a process', () => {
    test('have a limit', async () => {
        const world = await World.open({ env: { ...env, MAX_STREAMS: '2' } });
        try {
            const visits = [await world.visit(), await world.visit(), await world.visit()];
            const open = [await watch(world, visits[0]), await watch(world, visits[1])];
            const third = await watch(world, visits[2]);
            assert.equal(third.status, 503);
            assert.ok(Number(third.headers['retry-after']) > 0);
            for (const stream of open) stream.close();
        } finally {
            await world.close();
        }
    });

    test('do not hold up its stop', async () => {
        const world = await World.open({ env });
        try {
            const visit = await world.visit();
            const stream = await watch(world, visit);
            await stream.next('state');
            const began = Date.now();
            const end = await world.server.terminate();
            assert.equal(end.code, 0);
            assert.ok(Date.now() - began < 9_000, 'the patience of a stop was not used up');
            await stream.end();
            assert.equal(stream.broken, undefined, 'it was ended properly');
        } finally {
            await world.close();
        }
    });
});

describe('two processes on one PostgreSQL', () => {
    let world, second;
    before(async () => {
        world = await World.open({ store: 'postgres', env });
        second = await Server.start({ databaseUrl: world.postgres.url(world.database), env });
    });
    after(async () => {
        await second?.stop();
        await world?.close();
    });

    test('tell of each other’s changes within a second or so', async () => {
        const visit = await world.visit();
        const stream = await EventStream.open(`${second.url}${visit.path}/stream`, { token: visit.doctor });
        await stream.next('state');
        const delays = [];
        for (let round = 0; round < 5; ++round) {
            const done = Date.now();
            await visit.join(visit.patient);
            delays.push((await stream.next('joined', round + 1)).at - done);
            await visit.leave(visit.patient);
            await stream.next('left', round + 1);
        }
        delays.sort((a, b) => a - b);
        assert.ok(delays[0] < 1000, `the quickest of ${delays} ms`);
        await visit.cancel(visit.patient, 'The patient cannot come.');
        await stream.next('cancelled');
        await stream.end();
    });

    test('go on with the other one where the first has stopped', async () => {
        const visit = await world.visit();
        const first = await EventStream.open(`${second.url}${visit.path}/stream`, { token: visit.doctor });
        await first.next('state');
        await visit.join(visit.patient);
        await first.next('joined');
        await second.terminate();
        await first.end();
        await visit.leave(visit.patient);
        const next = await EventStream.open(`${world.server.url}${visit.path}/stream`, {
            token: visit.doctor,
            lastEventId: first.lastEventId,
        });
        await next.next('left');
        assert.deepEqual(next.types, ['state', 'left']);
        next.close();
    });
});
