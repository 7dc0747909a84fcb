// Who was there, as AWS tells it (EventBridge, to /api/video/chime/events), and as it can be found out where AWS tells
// nothing.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { sdk } from '../lib/chime.js';
import { inNeighbourhood, inNeighbourhoodOnEachStore } from '../lib/neighbourhood.js';
import { age } from '../lib/time_travel.js';
import { eventually } from '../lib/world.js';

const secret = 'the key of the API destination';

/** A running visit at AWS, and how to tell of it. */
async function running(here, status = 'ACTIVE') {
    const { chime, world } = here;
    const visit = await (await world.visit()).to(status);
    const meetingId = (await visit.get()).body.meeting_id;
    const attendeeOf = async (who) => (await chime.meeting(meetingId)).Attendees.find((each) => each.ExternalUserId.startsWith(who));
    const event = async (eventType, who, timestamp = Date.now()) => {
        const attendee = who ? await attendeeOf(who) : undefined;
        return { eventType: `chime:${eventType}`, meetingId, timestamp, ...(attendee ? { attendeeId: attendee.AttendeeId, externalUserId: attendee.ExternalUserId } : {}) };
    };
    const tell = async (events, more = {}) => {
        const delivered = await chime.events({ url: `${world.server.url}/api/video/chime/events`, headers: { 'X-Api-Key': secret }, events, ...more });
        assert.ok(delivered.every((each) => each.status === 202), JSON.stringify(delivered));
        return delivered;
    };
    const attendees = async () => Object.fromEntries((await visit.get()).body.attendees.map((each) => [each.role, each]));
    return { ...visit, meetingId, event, tell, attendees };
}

inNeighbourhoodOnEachStore('AWS tells who is there', { chime: true, env: { CHIME_EVENTS_SECRET: secret } }, (here) => {
    test('joined, left, dropped and deleted are attendance', async () => {
        for (const leaving of ['AttendeeLeft', 'AttendeeDropped', 'AttendeeDeleted']) {
            const visit = await running(here());
            await visit.tell([await visit.event('MeetingStarted'), await visit.event('AttendeeJoined', 'doctor'), await visit.event('AttendeeJoined', 'patient')]);
            const left = Date.now();
            await visit.tell([await visit.event(leaving, 'patient', left)]);
            const { PATIENT: patient, DOCTOR: doctor } = await visit.attendees();
            assert.deepEqual([patient.connected, doctor.connected], [false, true], leaving);
            assert.equal(Date.parse(patient.left_at), left);
            assert.equal((await visit.events()).body.filter((each) => each.event_type === 'USER_LEFT').length, 1);
            await visit.end(visit.doctor);
        }
    });

    test('twice and in another order makes no difference', async () => {
        for (const seed of [1, 2, 3, 4, 5]) {
            const visit = await running(here());
            const at = Date.now();
            // By the clock of AWS, not by the order of arrival.
            await visit.tell(
                [
                    await visit.event('MeetingStarted', undefined, at),
                    await visit.event('AttendeeJoined', 'doctor', at + 1),
                    await visit.event('AttendeeJoined', 'patient', at + 2),
                    await visit.event('AttendeeDropped', 'patient', at + 3),
                ],
                { copies: 2, shuffle: seed },
            );
            const { PATIENT: patient, DOCTOR: doctor } = await visit.attendees();
            assert.deepEqual([patient.connected, doctor.connected], [false, true], `seed ${seed}`);
            assert.equal(Date.parse(patient.left_at), at + 3, `seed ${seed}`);
            const trail = (await visit.events()).body.map((each) => each.event_type);
            assert.equal(trail.filter((each) => each === 'USER_LEFT').length, 1, `${seed}: ${trail}`);
            assert.equal(trail.filter((each) => each === 'USER_JOINED').length, 2, `${seed}: ${trail}`);
            await visit.end(visit.doctor);
        }
    });

    test('the end of the meeting ends everybody’s stay, and the next join makes another', async () => {
        const visit = await running(here());
        await visit.tell([await visit.event('AttendeeJoined', 'doctor'), await visit.event('AttendeeJoined', 'patient')]);
        await age(here().world, visit.id, 10);
        const over = Date.now() - 4 * 60_000;
        await visit.tell([await visit.event('MeetingEnded', undefined, over)], { copies: 3 });
        const { PATIENT: patient, DOCTOR: doctor } = await visit.attendees();
        for (const each of [patient, doctor]) {
            assert.equal(each.connected, false);
            assert.equal(Date.parse(each.left_at), over);
        }
        // Six minutes each: ten since they came, four since it was over.
        assert.equal((await visit.get()).body.attendee_minutes, 12);
        await here().chime.end(visit.meetingId);
        const again = await visit.join(visit.patient);
        assert.deepEqual([again.status, again.body.meeting_id === visit.meetingId], [200, false]);
        // What is told of the old meeting says nothing about the new one.
        await visit.tell([await visit.event('MeetingEnded')]);
        assert.equal((await visit.attendees()).PATIENT.connected, true);
        await visit.end(visit.doctor);
    });

    test('only whoever has the key is listened to, and nonsense does no harm', async () => {
        const { chime, world, client } = here();
        const visit = await running(here());
        await visit.tell([await visit.event('AttendeeJoined', 'patient')]);
        const event = await visit.event('AttendeeLeft', 'patient');
        for (const headers of [{}, { 'X-Api-Key': 'wrong' }, { Authorization: `Bearer ${visit.doctor}` }]) {
            const [refused] = await chime.events({ url: `${world.server.url}/api/video/chime/events`, headers, events: [event] });
            assert.equal(refused.status, 401);
        }
        assert.equal((await visit.attendees()).PATIENT.connected, true);
        const send = (text) => client.exchange('POST', '/api/video/chime/events', { 'X-Api-Key': secret, 'Content-Type': 'application/json' }, text);
        assert.equal((await send('{not json')).status, 422);
        for (const body of [{}, { 'detail-type': 'Other', detail: {} }, { 'detail-type': 'Chime Meeting State Change', detail: { eventType: 'chime:AttendeeJoined' } }]) {
            assert.ok([202, 422].includes((await send(JSON.stringify(body))).status));
        }
        await visit.tell([{ eventType: 'chime:AttendeeJoined', meetingId: randomUUID(), attendeeId: randomUUID(), externalUserId: 'doctor-1' }]);
        await visit.tell([{ ...event, attendeeId: randomUUID() }]);
        // A clock that is ahead closes nothing in the future.
        await visit.tell([{ ...event, timestamp: Date.now() + 3600_000 }]);
        const { PATIENT: patient } = await visit.attendees();
        assert.ok(patient.left_at === null || Date.parse(patient.left_at) <= Date.now());
        await visit.end(visit.doctor);
        await visit.tell([await visit.event('MeetingEnded')]);
        assert.equal((await visit.get()).body.status, 'COMPLETED');
    });
});

inNeighbourhood('without the key nobody is listened to', { chime: true }, (here) => {
    test('the endpoint is not there', async () => {
        const answer = await here().client.exchange('POST', '/api/video/chime/events', { 'X-Api-Key': '', 'Content-Type': 'application/json' }, '{}');
        assert.equal(answer.status, 404);
    });
});

inNeighbourhoodOnEachStore('AWS tells nothing', { chime: true, env: { CHIME_RECONCILE_SECONDS: '1' } }, (here) => {
    test('a meeting that AWS has ended is noticed; stays end when somebody was last known to be there', async () => {
        const { chime } = here();
        const visit = await running(here());
        await eventually(async () => (await chime.calls('ListAttendees')).some((each) => each.meetingId === visit.meetingId), 'the meeting is looked up');
        assert.equal((await visit.attendees()).PATIENT.connected, true);
        await chime.end(visit.meetingId);
        await eventually(async () => Object.values(await visit.attendees()).every((each) => !each.connected), 'nobody is there any more');
        const again = await visit.join(visit.patient);
        assert.deepEqual([again.status, again.body.meeting_id === visit.meetingId], [200, false]);
        await visit.end(visit.doctor);
    });

    test('who is no longer among the attendees has left', async () => {
        const { chime } = here();
        const visit = await running(here());
        const client = chime.client();
        const patient = (await chime.meeting(visit.meetingId)).Attendees.find((each) => each.ExternalUserId.startsWith('patient-'));
        await client.send(new sdk.DeleteAttendeeCommand({ MeetingId: visit.meetingId, AttendeeId: patient.AttendeeId }));
        client.destroy();
        await eventually(async () => !(await visit.attendees()).PATIENT.connected, 'the patient has left');
        assert.equal((await visit.attendees()).DOCTOR.connected, true);
        await visit.end(visit.doctor);
    });

    test('an AWS that fails changes nobody’s attendance', async () => {
        const { chime } = here();
        const visit = await running(here());
        const before = (await chime.calls('ListAttendees')).length;
        await chime.throttle({ operation: 'ListAttendees' });
        await eventually(async () => (await chime.calls('ListAttendees')).length > before + 4, 'it was tried');
        assert.ok(Object.values(await visit.attendees()).every((each) => each.connected));
        await chime.heal();
        await visit.end(visit.doctor);
    });
});
