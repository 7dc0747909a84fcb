// The platform's whole day over a real broker: from the booking message to the completed appointment.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { topics } from '../lib/appointments_listeners.js';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { appointmentOf } from '../lib/platform.js';
import { age, monthBefore } from '../lib/time_travel.js';
import { eventually, sessions } from '../lib/world.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Appointments are on the wall clock of their own place, half past five hours ahead of UTC. */
const zone = 'Asia/Colombo';
const zoneOffset = 5.5 * 3600_000;

async function withNeighbourhood(wanted, run) {
    const here = await Neighbourhood.open({ broker: true, chime: true, env: { DEFAULT_TIME_ZONE: zone }, ...wanted });
    try {
        await run(here);
    } finally {
        await here.close();
    }
}

/** Books, pays and starts in the appointments service, with the first answer lost on the way. */
async function booked(here) {
    const { listeners, client, world } = here;
    const pair = world.pair();
    const start = new Date(Math.floor(Date.now() / 1000) * 1000 + 3600_000);
    const wallClock = new Date(start.getTime() + zoneOffset);
    // The request leaves before the booking is stored, and the answer is there before it is.
    const request = appointmentOf({ doctorId: pair.doctorId, patientId: pair.patientId, time: wallClock });
    const { appointmentId } = request;
    await listeners.askForSession(request);
    await eventually(() => listeners.answers.some((each) => each.reason === 'no such appointment'), 'the first answer found no appointment');
    listeners.appointments.set(appointmentId, request);
    assert.equal(request.meetingLink, null);

    assert.equal(await listeners.verifyPayment(appointmentId), true, 'the payment asks again');
    await eventually(() => request.meetingLink, 'the payment brought the link');
    const session = (await client.get(`${sessions}/by-appointment/${appointmentId}`, pair.patient)).body;
    assert.equal(request.meetingId, session.session_id);
    assert.ok(request.meetingLink.endsWith(`/api/video/sessions/${session.session_id}/join`), request.meetingLink);
    assert.equal(session.status, 'SCHEDULED');
    assert.equal(Date.parse(session.scheduled_start_time), start.getTime());
    assert.equal(session.meeting_id, null);
    assert.equal(await listeners.verifyPayment(appointmentId), false, 'a payment with a link asks nothing');
    assert.equal((await client.get(sessions, pair.patient)).body.total, 1);

    await listeners.startVideo(appointmentId, pair.doctorId);
    const path = `${sessions}/${session.session_id}`;
    await eventually(async () => (await client.get(`${path}/events`, pair.doctor)).body.some((each) => each.event_type === 'START_REQUESTED'), 'the start is known');
    return { ...pair, appointment: request, appointmentId, sessionId: session.session_id, path };
}

async function bothJoin(here, visit) {
    const { client, chime } = here;
    // The application may know the appointment only.
    const patient = await client.post(`${sessions}/${visit.appointmentId}/join`, visit.patient, { device_type: 'web' });
    const doctor = await client.post(`${visit.path}/join`, visit.doctor, {});
    assert.deepEqual([patient.status, doctor.status], [200, 200]);
    assert.equal(patient.body.meeting_id, doctor.body.meeting_id);
    assert.equal(patient.body.session_id, visit.sessionId);
    const meeting = await chime.meeting(patient.body.meeting_id);
    assert.equal(meeting.ExternalMeetingId, `pulseone-${visit.sessionId}`);
    assert.deepEqual(meeting.Attendees.map((each) => each.ExternalUserId).sort(), [`doctor-${visit.doctorId}`, `patient-${visit.patientId}`]);
    assert.equal((await client.get(visit.path, visit.doctor)).body.status, 'ACTIVE');
    return meeting.MeetingId;
}

const untilCompleted = async (here, visit, minutes) => {
    await eventually(() => here.listeners.completions.length > 0, 'the completion arrived');
    await pause(300);
    const { completions } = here.listeners;
    assert.deepEqual(here.listeners.counts(completions), { handled: 1, ignored: 0, logged: 0, rejected: 0 }, JSON.stringify(completions));
    assert.equal(completions[0].minutes, minutes);
    assert.equal(visit.appointment.status, 'COMPLETED');
    assert.ok(visit.appointment.actualEndTime);
};

for (const [store, era] of [['sqlite', 'present'], ['postgres', 'chime']]) {
    describe(`the platform's day (${store}, the appointments service of the ${era} era)`, () => {
        test('booked by message, paid, started, attended by both, ended by the doctor: completed exactly once', () =>
            withNeighbourhood({ store, era }, async (here) => {
                const { client, recorder } = here;
                const visit = await booked(here);
                const meetingId = await bothJoin(here, visit);
                await age(here.world, visit.sessionId, 31);
                const ended = await client.post(`${visit.path}/end`, visit.doctor, { session_notes: 'Recovering well.' });
                assert.equal(ended.status, 200, ended.text);
                assert.deepEqual([ended.body.status, ended.body.duration_minutes, ended.body.attendee_minutes], ['COMPLETED', 31, 62]);
                await untilCompleted(here, visit, 31);

                const told = await here.told(visit.sessionId, [
                    'video.session.created', 'video.session.created', 'video.session.started', 'video.session.started', 'video.user.joined', 'video.user.joined',
                    'video.session.ended', 'appointment.consultation.completed',
                ]);
                assert.deepEqual(told.map((each) => each.key), [
                    'video.session.created', 'video.session.created', 'video.session.started', 'video.session.started', 'video.user.joined', 'video.user.joined',
                    'video.session.ended', 'appointment.consultation.completed',
                ]);
                assert.equal(new Set(told.map((each) => each.properties.messageId)).size, told.length);
                const sequences = told.map((each) => Number(each.properties.headers.sequence));
                assert.deepEqual(sequences, [...sequences].sort((a, b) => a - b));
                for (const each of told) {
                    assert.deepEqual([each.properties.contentType, each.properties.deliveryMode, each.properties.headers.session_id], ['application/json', 2, visit.sessionId]);
                    assert.match(each.body.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
                }
                const [plain, ...more] = recorder.of(visit.sessionId, topics.users);
                assert.deepEqual([plain.key, plain.properties.contentType, more.length], ['appointment.consultation.completed', 'text/plain', 0]);
                const json = told.find((each) => each.key === plain.key);
                assert.deepEqual([plain.text, plain.properties.messageId], [json.text, json.properties.messageId]);

                await eventually(async () => (await here.chime.meeting(meetingId)).Ended !== null, 'the meeting is deleted at AWS');
                const usage = (await client.get(`/api/video/metrics/usage?month=${monthBefore(31)}`, here.world.admin)).body;
                assert.equal(usage.total_sessions_current_month >= 0, true);
                const chimeMinutes = usage.by_provider.chime.attendee_minutes;
                assert.ok(chimeMinutes >= 62 && chimeMinutes < 63, JSON.stringify(usage));
                assert.equal(usage.by_provider.embedded.attendee_minutes, 0);
            }));

        test('ended in the appointments service: the session ends, the completion is repeated and harmless', () =>
            withNeighbourhood({ store, era }, async (here) => {
                const visit = await booked(here);
                const meetingId = await bothJoin(here, visit);
                await age(here.world, visit.sessionId, 17);
                await here.listeners.endVideo(visit.appointmentId, visit.patientId, 'patient');
                await eventually(async () => (await here.client.get(visit.path, visit.doctor)).body.status === 'COMPLETED', 'the session has ended');
                const session = (await here.client.get(visit.path, visit.doctor)).body;
                assert.deepEqual([session.duration_minutes, session.attendee_minutes], [17, 34]);
                await untilCompleted(here, visit, 17);
                const answer = await eventually(() => here.recorder.of(visit.sessionId).find((each) => each.body.event_type === 'video.session.completed'), 'the answer to the end');
                const { ended_at: endedAt, ...data } = answer.body.data;
                assert.ok(endedAt);
                assert.deepEqual(data, { session_id: visit.sessionId, appointment_id: visit.appointmentId, ended_by: visit.patientId, ended_by_role: 'patient' });
                await eventually(async () => (await here.chime.meeting(meetingId)).Ended !== null, 'the meeting is deleted at AWS');
            }));
    });
}

test('an appointment nobody else knows of makes no trouble', () =>
    withNeighbourhood({ chime: false }, async (here) => {
        const pair = here.world.pair();
        await here.listeners.publish('appointment.video.create', {
            appointment_id: randomUUID(), doctor_id: pair.doctorId, patient_id: pair.patientId, scheduled_time: '2096-01-25T14:00:00.5', timestamp: '2026-01-24T10:30:00',
        });
        const session = await eventually(async () => (await here.client.get(sessions, pair.doctor)).body.sessions[0], 'the session is made');
        assert.equal(session.scheduled_start_time, '2096-01-25T08:30:00.500000Z');
        assert.equal(session.booking_type, 'DIRECT_DOCTOR');
        assert.equal(session.consultation_duration_minutes, 30);
    }));
