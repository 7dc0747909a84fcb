// Things that happen at the same moment, many times: whatever comes first, one meeting, one attendee a person, a legal
// state, stamps that fit it, and nobody told something that is not so.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '../lib/client.js';
import { Server } from '../lib/server.js';
import { eachStore, eventually } from '../lib/world.js';

const rounds = Number(process.env.RACE_ROUNDS ?? 200);
/** So many at a time: enough to keep the service busy. */
const lanes = 8;

/** Runs `round` again and again, several at a time; the first failure ends the test. */
async function race(round, times = rounds) {
    let next = 0;
    await Promise.all(
        Array.from({ length: lanes }, async () => {
            while (next < times) await round(next++);
        }),
    );
}

/** What must hold for a session and its trail, in any state. */
function assertSound(session, events) {
    const count = (type) => events.filter((each) => each.event_type === type).length;
    assert.equal(count('SESSION_CREATED'), 1);
    assert.equal(count('MEETING_CREATED'), session.meeting_id ? 1 : 0);
    assert.ok(count('SESSION_ENDED') + count('SESSION_CANCELLED') <= 1);
    assert.equal(new Set(session.attendees.map((each) => each.user_id)).size, session.attendees.length);
    const joined = [session.doctor_joined_at, session.patient_joined_at].filter(Boolean).sort();
    assert.equal(session.attendees.length, joined.length);
    assert.equal(session.actual_start_time, joined[0] ?? null);
    const open = ['SCHEDULED', 'WAITING', 'ACTIVE'].includes(session.status);
    for (const attendee of session.attendees) {
        assert.equal(attendee.connected, open, 'nobody leaves in these races, so only a closed session puts them out');
        assert.equal(attendee.left_at === null, open);
        assert.equal(attendee.attendee_minutes, open ? 0 : 1);
    }
    if (session.status === 'SCHEDULED') assert.equal(joined.length, 0);
    if (session.status === 'WAITING') assert.equal(joined.length, 1);
    if (session.status === 'ACTIVE') assert.equal(joined.length, 2);
    assert.equal(session.actual_end_time !== null, session.status === 'COMPLETED');
    assert.equal(session.cancelled_at !== null, session.status === 'CANCELLED');
    const closedAt = session.actual_end_time ?? session.cancelled_at;
    for (const stamp of joined) assert.ok(!closedAt || stamp <= closedAt, 'nobody joins a closed session');
    const order = events.map((each) => each.event_timestamp);
    assert.deepEqual(order, [...order].sort());
}

async function sound(visit) {
    const [session, events] = [(await visit.get()).body, (await visit.events()).body];
    assertSound(session, events);
    return { session, events };
}

const of = (events, type) => events.filter((each) => each.event_type === type);

eachStore(`races, ${rounds} rounds`, (world) => {
    test('D19: two people joining at once end up in one meeting, ACTIVE', async () => {
        await race(async () => {
            const visit = await world().visit();
            const [patient, doctor] = await Promise.all([visit.join(visit.patient), visit.join(visit.doctor)]);
            assert.deepEqual([patient.status, doctor.status], [200, 200]);
            assert.equal(patient.body.meeting_id, doctor.body.meeting_id);
            const { session, events } = await sound(visit);
            assert.equal(session.status, 'ACTIVE');
            assert.equal(session.meeting_id, patient.body.meeting_id);
            assert.equal(of(events, 'USER_JOINED').length, 2);
        });
    });

    test('D19: twenty joins of one person at once are one attendee', async () => {
        await race(async () => {
            const visit = await world().visit();
            const answers = await Promise.all(Array.from({ length: 20 }, () => visit.join(visit.patient)));
            assert.deepEqual([...new Set(answers.map((each) => each.status))], [200]);
            assert.equal(new Set(answers.map((each) => `${each.body.meeting_id} ${each.body.attendee.attendee_id}`)).size, 1);
            const { session, events } = await sound(visit);
            assert.equal(session.status, 'WAITING');
            assert.equal(of(events, 'USER_JOINED').length, 1);
            const later = (await visit.join(visit.patient)).body;
            assert.equal(later.attendee.attendee_id, answers[0].body.attendee.attendee_id);
        });
    });

    test('D20: a session that is ended while somebody joins stays ended', async () => {
        let joinedFirst = 0;
        await race(async (n) => {
            const visit = await (await world().visit()).to('WAITING');
            const steps = [() => visit.join(visit.doctor), () => visit.end(visit.doctor)];
            const acts = n % 2 ? steps : steps.reverse();
            const answers = await Promise.all(acts.map((act) => act()));
            const [joined, ended] = n % 2 ? answers : answers.reverse();
            assert.equal(ended.status, 200, ended.text);
            assert.ok([200, 400].includes(joined.status), joined.text);
            if (joined.status === 400) assert.equal(joined.body.detail, 'This session has already been completed');
            joinedFirst += joined.status === 200 ? 1 : 0;
            const { session, events } = await sound(visit);
            assert.equal(session.status, 'COMPLETED');
            assert.equal(session.doctor_joined_at !== null, joined.status === 200);
            assert.equal(of(events, 'SESSION_ENDED').length, 1);
            assert.deepEqual([ended.body.status, ended.body.actual_end_time], ['COMPLETED', session.actual_end_time]);
        });
        assert.ok(joinedFirst > 0, 'both orders were tried');
    });

    test('D20: a session that is cancelled while somebody joins is one or the other', async () => {
        await race(async (n) => {
            const visit = await (await world().visit()).to(n % 3 ? 'WAITING' : 'SCHEDULED');
            const joiner = n % 3 ? visit.doctor : visit.patient;
            const acts = [() => visit.join(joiner), () => visit.cancel(visit.patient)];
            const answers = await Promise.all((n % 2 ? acts : [...acts].reverse()).map((act) => act()));
            const [joined, cancelled] = n % 2 ? answers : answers.reverse();
            const { session } = await sound(visit);
            if (cancelled.status === 200) {
                assert.equal(session.status, 'CANCELLED');
                if (joined.status !== 200) assert.deepEqual([joined.status, joined.body.detail], [400, 'This session has been cancelled']);
            } else {
                assert.deepEqual([cancelled.status, cancelled.body.detail], [400, 'Cannot cancel session with status: ACTIVE']);
                assert.equal(joined.status, 200);
                assert.equal(session.status, 'ACTIVE');
            }
        });
    });

    test('D20: ended twice, cancelled and ended: once only', async () => {
        await race(async (n) => {
            const visit = await world().visit();
            const other = n % 2 ? () => visit.end(world().admin) : () => visit.cancel(visit.patient);
            const answers = await Promise.all([visit.end(visit.doctor), other()]);
            assert.deepEqual(answers.map((each) => each.status).sort(), [200, 400]);
            await sound(visit);
        });
    });

    test('D13: one appointment booked by both at once is one session', async () => {
        await race(async () => {
            const pair = world().pair();
            const booking = world().booking(pair, { booking_type: 'CLINIC_BASED', appointment_id: world().newAppointment() });
            const answers = await Promise.all([pair.patient, pair.doctor, pair.patient, pair.doctor].map((token) => world().client.post('/api/video/sessions', token, booking)));
            assert.deepEqual(answers.map((each) => each.status).sort(), [200, 200, 200, 201]);
            assert.equal(new Set(answers.map((each) => each.body.session_id)).size, 1);
        });
    });

    test('comings and goings of both at once leave a sound session', async () => {
        await race(async () => {
            const visit = await world().visit();
            await Promise.all([
                visit.join(visit.patient), visit.join(visit.doctor), visit.leave(visit.patient), visit.leave(visit.doctor),
                visit.join(visit.patient), visit.notes(visit.doctor, 'x'), visit.leave(visit.patient),
            ]);
            const ended = await visit.end(visit.doctor);
            assert.equal(ended.status, 200);
            const { body: events } = await visit.events();
            for (const person of ended.body.attendees) {
                const moves = events.filter((each) => each.user_id === person.user_id).map((each) => each.event_type).filter((type) => type.startsWith('USER_'));
                assert.deepEqual(moves, moves.map((_, n) => (n % 2 ? 'USER_LEFT' : 'USER_JOINED')), 'joins and leaves alternate');
                assert.equal(person.connected, false);
                assert.equal(person.attendee_minutes, 1);
            }
            assert.equal(ended.body.attendee_minutes, ended.body.attendees.length);
        });
    });
});

/** A session booked in the past is missed at once. */
const env = { NO_SHOW_GRACE_MINUTES: '0' };

eachStore('two processes on one database', (world) => {
    let second;
    let other;

    before(async () => {
        second = await Server.start({ databaseUrl: world().postgres.url(world().database), env });
        other = await Client.connect(second.url);
    });
    after(async () => {
        other?.close();
        await second?.stop();
    });

    test('D19: joining at once through either is one meeting and one attendee a person', async () => {
        await race(async () => {
            const visit = await world().visit();
            const elsewhere = (token) => other.post(`${visit.path}/join`, token, {});
            const answers = await Promise.all([
                visit.join(visit.patient), elsewhere(visit.patient), visit.join(visit.doctor), elsewhere(visit.doctor),
            ]);
            assert.deepEqual([...new Set(answers.map((each) => each.status))], [200]);
            assert.equal(new Set(answers.map((each) => each.body.meeting_id)).size, 1);
            assert.equal(new Set(answers.map((each) => each.body.attendee.attendee_id)).size, 2);
            const { session, events } = await sound(visit);
            assert.equal(session.status, 'ACTIVE');
            assert.equal(of(events, 'USER_JOINED').length, 2);
        }, Math.ceil(rounds / 4));
    });

    test('D20: ended here while cancelled there: once only', async () => {
        await race(async () => {
            const visit = await world().visit();
            const answers = await Promise.all([visit.end(visit.doctor), other.post(`${visit.path}/cancel`, visit.patient, { cancellation_reason: 'The patient cannot come.' })]);
            assert.deepEqual(answers.map((each) => each.status).sort(), [200, 400]);
            await sound(visit);
        }, Math.ceil(rounds / 4));
    });

    test('D25: missed sessions are closed once, whoever is first', async () => {
        const past = new Date(Date.now() - 3 * 3600_000).toISOString();
        const missed = [];
        for (let n = 0; n < 20; ++n) missed.push(await world().visit({ scheduled_start_time: past }));
        for (const visit of missed) {
            await eventually(async () => (await visit.get()).body.status === 'NO_SHOW', 'NO_SHOW', 30_000);
            assert.deepEqual((await visit.events()).body.map((each) => each.event_type), ['SESSION_CREATED', 'SESSION_NO_SHOW']);
        }
    });
}, { stores: ['postgres'], env });
