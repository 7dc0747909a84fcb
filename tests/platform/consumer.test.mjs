// What the appointments service asks for by message, and what it can make of our answers, although it is not ours to
// change. D numbers are the contract's defects, M numbers its list of mismatches between the two services.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { topics } from '../lib/appointments_listeners.js';
import { inNeighbourhood, inNeighbourhoodOnEachStore } from '../lib/neighbourhood.js';
import { eventually, sessions } from '../lib/world.js';

const requests = 'video-session-requests';
const parked = `${requests}.parked`;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Takes everything out of the queue of parked messages. */
const takeParked = (here) =>
    here.broker.withChannel(async (channel) => {
        const messages = [];
        for (;;) {
            const message = await channel.get(parked, { noAck: true });
            if (!message) return messages;
            messages.push({ text: message.content.toString('utf8'), reason: message.properties.headers['x-parked-reason'], properties: message.properties });
        }
    });

const session = async (here, visit) => (await here.client.get(visit.path, visit.doctor)).body;

inNeighbourhoodOnEachStore('requests of the appointments service', { broker: true }, (here) => {
    test('the topology is the platform’s, so that everybody may declare it again', async () => {
        await here().broker.withChannel(async (channel) => {
            await channel.assertQueue(requests, { durable: true, exclusive: false, autoDelete: false });
            for (const exchange of Object.values(topics)) await channel.assertExchange(exchange, 'topic', { durable: true, autoDelete: false });
        });
        assert.equal((await here().health()).rabbitmq, 'healthy');
    });

    test('D10: start and end by session id, by meeting id and by appointment id', async () => {
        for (const name of ['session', 'meeting', 'appointment']) {
            const visit = await here().bookedVisit();
            const { listeners, world, client } = here();
            visit.appointment.paymentStatus = 'PAID';
            // The meeting id exists only once somebody has joined.
            const joined = await client.post(`${visit.path}/join`, visit.patient, {});
            const ids = { session: visit.sessionId, meeting: joined.body.meeting_id, appointment: visit.appointment.appointmentId };
            visit.appointment.meetingId = ids[name];
            await listeners.startVideo(visit.appointment.appointmentId, visit.doctorId);
            await eventually(async () => (await client.get(`${visit.path}/events`, world.admin)).body.some((each) => each.event_type === 'START_REQUESTED'), `started by ${name}`);
            await listeners.endVideo(visit.appointment.appointmentId, visit.doctorId, 'doctor');
            await eventually(async () => (await session(here(), visit)).status === 'COMPLETED', `ended by ${name}`);
            const trail = (await client.get(`${visit.path}/events`, world.admin)).body;
            assert.equal(trail.find((each) => each.event_type === 'SESSION_ENDED').user_id, visit.doctorId);
        }
        assert.deepEqual(await takeParked(here()), []);
    });

    test('D10: nobody ends or starts a visit that is not theirs', async () => {
        const visit = await here().bookedVisit();
        visit.appointment.paymentStatus = 'PAID';
        await here().listeners.startVideo(visit.appointment.appointmentId, 'somebody-else');
        await here().listeners.endVideo(visit.appointment.appointmentId, 'somebody-else', 'doctor');
        const two = await eventually(async () => (await here().broker.depth(parked)) === 2 && (await takeParked(here())), 'both are parked');
        assert.ok(two.every((each) => each.reason));
        assert.equal((await session(here(), visit)).status, 'SCHEDULED');
    });

    test('D11: what can never work is parked with its reason, and a failed booking is told', async () => {
        const { listeners, recorder } = here();
        const pair = here().world.pair();
        const good = { appointment_id: randomUUID(), doctor_id: pair.doctorId, patient_id: pair.patientId, scheduled_time: '2096-01-25T14:00:00', timestamp: '2026-01-24T10:30:00' };
        const bad = [
            { event: 'appointment.video.create', content: Buffer.from('{not json') },
            { event: 'appointment.video.create', content: Buffer.from('[]') },
            { event: 'appointment.video.create', content: Buffer.from([0xff, 0xfe]) },
            { event: 'appointment.video.create', data: { ...good, appointment_id: randomUUID(), doctor_id: undefined }, told: true },
            { event: 'appointment.video.create', data: { ...good, appointment_id: randomUUID(), patient_id: null }, told: true },
            { event: 'appointment.video.create', data: { ...good, appointment_id: undefined } },
            { event: 'appointment.video.create', data: { ...good, appointment_id: randomUUID(), scheduled_time: 'tomorrow' }, told: true },
            { event: 'appointment.video.start', data: { session_id: randomUUID(), doctor_id: pair.doctorId, timestamp: 'x' } },
            { event: 'appointment.video.start', data: { session_id: '', doctor_id: pair.doctorId } },
            { event: 'appointment.video.end', data: { session_id: 'null', ended_by: pair.doctorId, ended_by_role: 'doctor' } },
        ];
        for (const { event, data, content } of bad) await listeners.publish(event, data, { content });
        await listeners.publish('appointment.video.create', good);
        await eventually(async () => (await here().broker.depth(parked)) === bad.length, () => 'all are parked', 20_000);
        const messages = await takeParked(here());
        for (const [place, each] of messages.entries()) {
            assert.ok(each.reason?.length > 5, JSON.stringify(each));
            assert.ok(!each.reason.includes(pair.doctorId));
            if (bad[place].content) assert.equal(each.text, bad[place].content.toString('utf8'));
            assert.equal(each.properties.deliveryMode, 2);
            assert.equal(each.properties.headers.__TypeId__, 'java.util.HashMap');
        }
        // One that works comes through behind all of them.
        await eventually(async () => (await here().client.get(sessions, pair.doctor)).body.total === 1, 'the good one is booked');
        assert.equal(await here().broker.depth(requests), 0);
        const wanted = bad.filter((each) => each.told).map((each) => each.data.appointment_id).sort();
        const failed = () => recorder.events.filter((each) => each.body?.event_type === 'video.session.creation.failed' && wanted.includes(each.body.data.appointment_id));
        await eventually(() => failed().length === wanted.length, 'the failures are told');
        for (const each of failed()) {
            assert.deepEqual([each.key, each.exchange], ['video.session.error', topics.appointments]);
            assert.ok(each.body.data.error);
        }
        assert.deepEqual(failed().map((each) => each.body.data.appointment_id).sort(), wanted);
    });

    test('D11: an appointment with other people than before is refused, parked, and told', async () => {
        const visit = await here().bookedVisit();
        const stranger = here().world.pair();
        await here().listeners.askForSession({ ...visit.appointment, patientId: stranger.patientId });
        const [one] = await eventually(async () => (await here().broker.depth(parked)) === 1 && (await takeParked(here())), 'it is parked');
        assert.match(one.reason, /other participants/);
        await eventually(() => here().listeners.answers.some((each) => each.appointmentId === visit.appointment.appointmentId && each.outcome === 'logged'), 'it is told');
        assert.equal((await session(here(), visit)).patient_id, visit.patientId);
    });

    test('unknown kinds are left aside', async () => {
        await here().listeners.publish('appointment.video.create', {}, { content: Buffer.from('{"event_type":"appointment.video.sing","data":{}}') });
        await eventually(async () => (await here().broker.depth(requests)) === 0, 'it is taken');
        await pause(200);
        assert.deepEqual(await takeParked(here()), []);
    });

    test('D13: the same appointment asked for many times is one session, announced again each time (M10)', async () => {
        const visit = await here().bookedVisit();
        const { listeners, recorder, world } = here();
        for (let i = 0; i < 4; ++i) {
            visit.appointment.meetingLink = null;
            await listeners.verifyPayment(visit.appointment.appointmentId);
            await eventually(() => visit.appointment.meetingLink, 'the link is back');
        }
        assert.equal((await here().client.get(sessions, visit.patient)).body.total, 1);
        const created = recorder.of(visit.sessionId).filter((each) => each.key === 'video.session.created');
        assert.equal(created.length, 5);
        assert.equal(new Set(created.map((each) => each.properties.messageId)).size, 5);
        // A booking over REST for the same appointment is the same session, too, and erases nothing (M3).
        const again = await here().client.post(sessions, visit.patient, world.booking(visit, { booking_type: 'CLINIC_BASED', appointment_id: visit.appointment.appointmentId }));
        assert.deepEqual([again.status, again.body.session_id], [200, visit.sessionId]);
        assert.deepEqual([visit.appointment.meetingId, Boolean(visit.appointment.meetingLink)], [visit.sessionId, true]);
    });

    test('D13: the very same message delivered again is announced under the same id', async () => {
        const { listeners, recorder, world } = here();
        const pair = world.pair();
        const appointmentId = randomUUID();
        const content = Buffer.from(JSON.stringify({
            event_type: 'appointment.video.create',
            data: { appointment_id: appointmentId, doctor_id: pair.doctorId, patient_id: pair.patientId, scheduled_time: '2096-01-25T14:00:00', timestamp: '2026-01-24T10:30:00' },
        }));
        for (let i = 0; i < 5; ++i) await listeners.publish('appointment.video.create', undefined, { content });
        const page = await eventually(async () => {
            const { body } = await here().client.get(sessions, pair.doctor);
            return (await here().broker.depth(requests)) === 0 && body.total > 0 && body;
        }, 'all are taken');
        assert.equal(page.total, 1);
        await eventually(async () => (await here().health()).outbox.waiting === 0, 'all is told');
        await pause(200);
        const ids = new Set(recorder.of(page.sessions[0].session_id).map((each) => each.properties.messageId));
        assert.ok(ids.size <= 2, `${ids.size} announcements`);
    });

    test('D12: what happens while the broker is down is told when it is back', async () => {
        const { broker, client, world } = here();
        await broker.down();
        const visit = await world.visit({ booking_type: 'CLINIC_BASED', appointment_id: randomUUID() });
        await visit.join(visit.patient);
        await visit.join(visit.doctor);
        assert.equal((await visit.end(visit.doctor)).status, 200);
        await eventually(async () => (await client.get('/health')).body.outbox.waiting >= 6, 'health says what waits');
        await broker.boot();
        const told = await here().told(visit.id, [
            'video.session.created', 'video.session.started', 'video.user.joined', 'video.user.joined', 'video.session.ended', 'appointment.consultation.completed',
        ], 30_000);
        assert.equal(told.at(-1).key, 'appointment.consultation.completed');
    });
});

inNeighbourhood('the database is down while the appointments service asks', { broker: true, store: 'postgres' }, (here) => {
    test('D11: the request waits and is done when the database is back; the API says 503 meanwhile', async () => {
        const { listeners, world, client } = here();
        const pair = world.pair();
        await world.postgres.down();
        const appointments = [];
        for (let i = 0; i < 3; ++i) appointments.push(await listeners.book({ doctorId: pair.doctorId, patientId: pair.patientId }));
        await pause(1500);
        assert.ok(appointments.every((each) => each.meetingLink === null));
        assert.equal((await client.get(sessions, pair.doctor)).status, 503);
        await world.postgres.boot();
        await eventually(() => appointments.every((each) => each.meetingLink), 'all have their links', 30_000);
        assert.equal((await client.get(sessions, pair.doctor)).body.total, 3);
        assert.equal(await here().broker.depth(parked), 0);
        assert.match((await client.exchange('GET', '/metrics', {})).text, /requests_consumed_total\{outcome="retried"\} [1-9]/);
    });
});

for (const era of ['chime', 'present']) {
    inNeighbourhood(`what the appointments service of the ${era} era makes of our messages`, { broker: true, era, chime: true }, (here) => {
        test('M1, M2: the completion reaches it once, as plain text, on the exchange that its queue hangs on', async () => {
            const visit = await here().bookedVisit();
            const { client, listeners, recorder } = here();
            await client.post(`${visit.path}/join`, visit.patient, {});
            await client.post(`${visit.path}/join`, visit.doctor, {});
            await client.post(`${visit.path}/end`, visit.doctor, {});
            await eventually(() => visit.appointment.status === 'COMPLETED', 'the appointment is completed');
            const mine = listeners.completions.filter((each) => each.appointmentId === visit.appointment.appointmentId);
            assert.deepEqual(mine.map((each) => [each.outcome, each.properties.contentType]), [['handled', 'text/plain']]);
            assert.equal(listeners.counts(listeners.completions).rejected, 0);
            const json = recorder.of(visit.sessionId).filter((each) => each.key === 'appointment.consultation.completed');
            assert.deepEqual(json.map((each) => each.properties.contentType), ['application/json']);
            assert.equal(json[0].body.event_type, 'video.consultation.completed');
        });

        test('M3, M5, M6: link and meeting are never emptied, whatever happens to the visit', async () => {
            const visit = await here().bookedVisit();
            const { client, chime, recorder } = here();
            const intact = () => {
                assert.equal(visit.appointment.meetingId, visit.sessionId);
                assert.ok(visit.appointment.meetingLink.includes(visit.sessionId));
            };
            intact();
            await chime.throttle();
            await client.post(`${visit.path}/join`, visit.patient, {});
            await chime.heal();
            await client.post(`${visit.path}/join`, visit.doctor, {});
            await client.post(`${visit.path}/end`, visit.doctor, {});
            await eventually(() => visit.appointment.status === 'COMPLETED', 'it is completed');
            intact();
            for (const each of recorder.of(visit.sessionId).filter((message) => message.key === 'video.session.created')) {
                const { data } = each.body;
                for (const name of ['appointment_id', 'session_id', 'meeting_id', 'room_id', 'meeting_url', 'status', 'created_at', 'doctor_id', 'patient_id', 'booking_type', 'scheduled_start_time']) {
                    assert.ok(typeof data[name] === 'string' && data[name] !== '', name);
                }
                assert.equal(data.meeting_id, data.room_id);
            }
        });

        test('M4: a direct booking without an appointment is announced, too, and does no harm there', async () => {
            const { world, listeners } = here();
            const before = listeners.answers.length;
            const visit = await world.visit();
            const told = await here().told(visit.id, ['video.session.created']);
            assert.equal(told[0].body.data.appointment_id, null);
            await eventually(() => listeners.answers.length > before, 'the listener got it');
            assert.equal(listeners.counts(listeners.completions).rejected, 0);
        });

        test('M7, M8: what it sends back as a session id is found; our answer to the end comes beside the completion', async () => {
            const visit = await here().bookedVisit();
            const { client, listeners, recorder } = here();
            await client.post(`${visit.path}/join`, visit.patient, {});
            await listeners.endVideo(visit.appointment.appointmentId, visit.patientId, 'patient');
            await eventually(() => recorder.keys(visit.sessionId).includes('video.consultation.completed'), 'the answer to the end');
            const keys = recorder.keys(visit.sessionId);
            assert.ok(keys.includes('appointment.consultation.completed') && keys.includes('video.session.ended'), `${keys}`);
            await eventually(() => listeners.completions.some((each) => each.appointmentId === visit.appointment.appointmentId && each.outcome === 'handled'), 'the completion is handled');
        });

        test('M7: an older meeting of the visit is found as well', async () => {
            const visit = await here().bookedVisit();
            const { client, chime, listeners } = here();
            const first = await client.post(`${visit.path}/join`, visit.patient, {});
            await chime.end(first.body.meeting_id);
            const second = await client.post(`${visit.path}/join`, visit.patient, {});
            assert.notEqual(second.body.meeting_id, first.body.meeting_id);
            visit.appointment.meetingId = first.body.meeting_id;
            await listeners.endVideo(visit.appointment.appointmentId, visit.doctorId, 'doctor');
            await eventually(async () => (await session(here(), visit)).status === 'COMPLETED', 'it ended');
        });

        test('M9: a cancellation is told, and leaves the appointment as it is', async () => {
            const visit = await here().bookedVisit();
            await here().client.post(`${visit.path}/cancel`, visit.patient, { cancellation_reason: 'Another day suits better.' });
            const told = await here().told(visit.sessionId, ['video.session.created', 'video.session.cancelled']);
            const { cancelled_at: at, ...data } = told[1].body.data;
            assert.ok(at);
            assert.deepEqual(data, { session_id: visit.sessionId, appointment_id: visit.appointment.appointmentId, cancelled_by: visit.patientId, reason: 'Another day suits better.' });
            assert.equal(visit.appointment.status, 'BOOKED');
        });
    });
}

inNeighbourhood('a compose file of the Chime era', { broker: true, env: { RABBITMQ_EXCHANGE: topics.users } }, (here) => {
    test('M1: requests are still heard, and the completion is understood', async () => {
        const { listeners, world, client } = here();
        const pair = world.pair();
        const appointment = await listeners.book({ doctorId: pair.doctorId, patientId: pair.patientId });
        const found = await eventually(async () => (await client.get(sessions, pair.doctor)).body.sessions[0], 'the session is made');
        await client.post(`${sessions}/${found.session_id}/join`, pair.patient, {});
        await client.post(`${sessions}/${found.session_id}/end`, pair.doctor, {});
        await eventually(() => appointment.status === 'COMPLETED', 'the appointment is completed');
        assert.equal(listeners.counts(listeners.completions).rejected, 0);
    });
});
