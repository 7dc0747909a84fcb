// PREVENT_OVERLAP and bookings that come by message: the appointments service is told that nothing came of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inNeighbourhoodOnEachStore } from '../lib/neighbourhood.js';
import { eventually, sessions } from '../lib/world.js';

inNeighbourhoodOnEachStore('bookings by message that overlap', { broker: true, env: { PREVENT_OVERLAP: 'true' } }, (here) => {
    test('are answered by a failure that tells nothing of the other visit', async () => {
        const { world, client, listeners, recorder } = here();
        const pair = world.pair();
        const first = await here().bookedVisit({ pair, time: new Date('2031-05-01T10:00:00Z') });
        const { appointmentId } = await listeners.book({ ...pair, time: new Date('2031-05-01T10:15:00Z') });
        const failed = await eventually(
            () => recorder.events.find((each) => each.body?.event_type === 'video.session.creation.failed' && each.body.data.appointment_id === appointmentId),
            'the failure message',
        );
        assert.equal(failed.body.data.error, 'The doctor or the patient has another visit at this time');
        const listed = await client.get(`${sessions}/doctor/${pair.doctorId}`, world.admin);
        assert.deepEqual(listed.body.sessions.map((each) => each.session_id), [first.sessionId]);
    });

    test('and a moved visit is told, without a new link for its appointment', async () => {
        const visit = await here().bookedVisit({ time: new Date('2031-06-01T10:00:00Z') });
        const link = visit.appointment.meetingLink;
        const moved = await here().client.request('PATCH', visit.path, {
            token: visit.doctor,
            body: { scheduled_start_time: '2031-06-02T10:00:00Z' },
            headers: { 'If-Match': '*' },
        });
        assert.equal(moved.status, 200, moved.text);
        const told = await eventually(
            () => here().recorder.events.find((each) => each.body?.event_type === 'video.session.rescheduled' && each.body.data.session_id === visit.sessionId),
            'the message',
        );
        assert.deepEqual([told.body.data.previous_start_time, told.body.data.scheduled_start_time], ['2031-06-01T10:00:00', '2031-06-02T10:00:00']);
        assert.equal(visit.appointment.meetingLink, link);
    });
});
