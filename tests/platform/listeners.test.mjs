// The stand-ins for the neighbours, over a real broker: each of the appointments service's oddities is really there.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { AppointmentsService, topics } from '../lib/appointments_listeners.js';
import { EventRecorder } from '../lib/event_recorder.js';
import { Appointments, appointmentOf, javaLocal, Profile } from '../lib/platform.js';
import { RabbitMq } from '../lib/rabbitmq.js';
import { eventually } from '../lib/world.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the appointments service on the broker', () => {
    let broker;
    let service;
    before(async () => {
        broker = await RabbitMq.start();
    });
    after(() => broker?.stop());
    beforeEach(async () => {
        service = await AppointmentsService.start(broker);
    });
    const finish = () => service.stop();
    // Also of a test that failed: nobody else may take its successor's messages.
    afterEach(finish);

    const send = (exchange, key, body, properties = { contentType: 'application/json' }) =>
        broker.withChannel(async (channel) => {
            channel.publish(exchange, key, Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)), properties);
            await channel.waitForConfirms();
        });
    const created = (data) => send(topics.appointments, 'video.session.created', { event_type: 'video.session.created', data });
    const answered = (count) => eventually(() => service.answers.length >= count && service.answers.every((each) => each.outcome), 'an answer was read');
    const completed = (count) => eventually(() => service.completions.length >= count && service.completions.every((each) => each.outcome), 'a completion was read');
    const booked = () => service.book({ doctorId: '12', patientId: '34' });

    test('a created session sets link and meeting; what is missing becomes empty, and null the word null (M3, M5, M6)', async () => {
        const appointment = await booked();
        const { appointmentId } = appointment;
        await created({ appointment_id: appointmentId, session_id: 's', meeting_id: 'm', room_id: 'r', meeting_url: 'http://x/join' });
        await answered(1);
        assert.deepEqual([appointment.meetingId, appointment.meetingLink], ['r', 'http://x/join']);
        await created({ appointment_id: appointmentId, session_id: 's', meeting_id: 'm' });
        await answered(2);
        assert.deepEqual([appointment.meetingId, appointment.meetingLink], ['', '']);
        await created({ appointment_id: appointmentId, room_id: null, meeting_url: null });
        await answered(3);
        assert.deepEqual([appointment.meetingId, appointment.meetingLink], ['null', 'null']);
        await created({ appointment_id: null, room_id: 'r', meeting_url: 'u' });
        await created({ appointment_id: appointmentId, room_id: 'r'.repeat(101), meeting_url: 'u' });
        await created({ appointment_id: randomUUID(), room_id: 'r', meeting_url: 'u' });
        await send(topics.appointments, 'video.session.created', Buffer.from('{not json'));
        await send(topics.appointments, 'video.session.ended', { event_type: 'video.session.ended', data: {} }, {});
        await answered(8);
        assert.deepEqual(service.answers.slice(3).map((each) => each.outcome), ['logged', 'logged', 'ignored', 'logged', 'ignored']);
        assert.equal(appointment.meetingId, 'null');
        await finish();
        assert.equal(await broker.depth('video-session-responses-appointments'), 0);
    });

    test('in the days of Chime it read meeting_id', async () => {
        await finish();
        service = await AppointmentsService.start(broker, { era: 'chime' });
        const appointment = await booked();
        await created({ appointment_id: appointment.appointmentId, meeting_id: 'm', room_id: 'r', meeting_url: 'u' });
        await answered(1);
        assert.equal(appointment.meetingId, 'm');
        await finish();
    });

    test('a completion is understood only as plain text, only with everything in it, and only for the right people (M2)', async () => {
        const appointment = await booked();
        const data = { appointment_id: appointment.appointmentId, session_id: 's', doctor_id: '12', patient_id: '34', duration_minutes: 5 };
        const event = { event_type: 'video.consultation.completed', data };
        const complete = (body, properties) => send(topics.users, 'appointment.consultation.completed', body, properties);
        for (const contentType of ['application/json', 'text/json;charset=utf-8', 'application/octet-stream', undefined]) await complete(event, { contentType });
        await completed(4);
        assert.deepEqual(service.counts(service.completions), { handled: 0, ignored: 0, logged: 0, rejected: 4 });
        const plain = { contentType: 'text/plain' };
        for (const changes of [{ duration_minutes: null }, { duration_minutes: '5' }, { doctor_id: 12 }, { patient_id: '35' }, { appointment_id: 'x' }]) {
            await complete({ ...event, data: { ...data, ...changes } }, plain);
        }
        await complete({ ...event, event_type: 'video.session.completed' }, plain);
        await completed(10);
        assert.equal(appointment.status, 'BOOKED');
        appointment.status = 'CANCELLED';
        await complete(event, plain);
        await completed(11);
        assert.equal(appointment.status, 'COMPLETED');
        assert.match(appointment.actualEndTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}$/);
        assert.deepEqual(service.counts(service.completions), { handled: 1, ignored: 1, logged: 5, rejected: 4 });
        // Published to the exchange of the appointments it never arrives (M1).
        await send(topics.appointments, 'appointment.consultation.completed', event, plain);
        await pause(200);
        assert.equal(service.completions.length, 11);
        await finish();
        assert.equal(await broker.depth('video-consultation-events-appointments'), 0);
    });

    test('its requests look as they do on the platform', async () => {
        const recorder = await EventRecorder.start(broker);
        const appointment = await service.book({ doctorId: '12', patientId: '34', time: new Date('2026-01-25T14:00:00Z') });
        assert.equal(await service.verifyPayment(appointment.appointmentId), true);
        await assert.rejects(service.startVideo(appointment.appointmentId, '12'), /cannot be started/);
        Object.assign(appointment, { meetingId: 'm', meetingLink: 'l' });
        assert.equal(await service.verifyPayment(appointment.appointmentId), false);
        await service.startVideo(appointment.appointmentId, '12');
        await service.endVideo(appointment.appointmentId, '12', 'doctor');
        await eventually(() => recorder.messages.length === 4, 'four requests');
        assert.deepEqual(recorder.messages.map((each) => each.key), ['appointment.video.create', 'appointment.video.create', 'appointment.video.start', 'appointment.video.end']);
        const [first, , start, end] = recorder.messages;
        assert.deepEqual([first.properties.contentType, first.properties.contentEncoding, first.properties.deliveryMode, first.properties.messageId], ['application/json', 'UTF-8', 2, undefined]);
        assert.equal(first.properties.headers.__TypeId__, 'java.util.HashMap');
        assert.deepEqual(Object.keys(first.body).sort(), ['data', 'event_type']);
        const { timestamp, ...data } = first.body.data;
        assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}$/);
        assert.deepEqual(data, { appointment_id: appointment.appointmentId, doctor_id: '12', patient_id: '34', scheduled_time: '2026-01-25T14:00:00' });
        assert.deepEqual([start.body.data.session_id, start.body.data.doctor_id], ['m', '12']);
        assert.deepEqual([end.body.data.session_id, end.body.data.ended_by, end.body.data.ended_by_role], ['m', '12', 'doctor']);
        await recorder.stop();
        await finish();
    });

    test('it is back when the broker is', async () => {
        const appointment = await booked();
        await broker.down();
        await broker.boot();
        await created({ appointment_id: appointment.appointmentId, room_id: 'r', meeting_url: 'u' });
        await answered(1);
        assert.equal(appointment.meetingId, 'r');
        await finish();
    });
});

describe('profile and appointments over HTTP', () => {
    let profile;
    let appointments;
    before(async () => {
        [profile, appointments] = [await Profile.start(), await Appointments.start()];
    });
    after(async () => {
        await profile?.stop();
        await appointments?.stop();
    });

    test('what is there, and how each says that something is not', async () => {
        profile.addDoctor('12', { clinicId: 4 });
        profile.addPatient('34');
        profile.addClinic(4);
        const get = async (path, headers) => {
            const answer = await fetch(profile.url + path, { headers });
            return [answer.status, await answer.json()];
        };
        assert.equal((await get('/doctor/12'))[1].specialty, 'Cardiology');
        assert.equal((await get('/doctors?clinicId=5'))[1].length, 0);
        assert.equal((await get('/doctors'))[1].length, 1);
        assert.deepEqual(Object.keys((await get('/doctor/13'))[1]).sort(), ['error', 'path', 'status', 'timestamp']);
        assert.equal((await get('/patient/me', { 'X-User-ID': '34', 'X-User-Role': 'PATIENT' }))[1].lastName, 'Patient34');
        assert.equal((await get('/patient/me', { 'X-User-ID': '34', 'X-User-Role': 'DOCTOR' }))[0], 403);
        assert.equal((await get('/patient/me', { 'X-User-ID': '35', 'X-User-Role': 'PATIENT' }))[0], 404);
        assert.equal((await get('/clinic/4'))[1].name, 'Clinic 4');
        assert.equal((await get('/clinic/admin/admin-1'))[1].id, 4);
        const appointment = appointments.add(appointmentOf({ doctorId: '12', patientId: '34', time: new Date('2026-01-25T14:00:00Z') }));
        const found = await (await fetch(`${appointments.url}/appointments/${appointment.appointmentId}`)).json();
        assert.deepEqual([found.appointmentDate, found.appointmentType, found.status], ['2026-01-25T14:00:00', 'VIRTUAL', 'BOOKED']);
        const missing = await fetch(`${appointments.url}/appointments/${randomUUID()}`);
        assert.deepEqual([missing.status, await missing.text()], [404, '']);
        assert.equal((await (await fetch(`${appointments.url}/api/video-consultations/${appointment.appointmentId}/status`)).json()).meetingLink, 'pending');
    });

    test('slow, silent, failing, gone, and back', async () => {
        profile.addDoctor('12');
        const url = `${profile.url}/doctor/12`;
        profile.delay = 150;
        const begun = Date.now();
        assert.equal((await fetch(url)).status, 200);
        assert.ok(Date.now() - begun >= 149);
        profile.delay = 0;
        profile.silent = true;
        await assert.rejects(fetch(url, { signal: AbortSignal.timeout(200) }), { name: 'TimeoutError' });
        profile.silent = false;
        profile.failing = true;
        assert.equal((await fetch(url)).status, 500);
        profile.failing = false;
        await profile.down();
        await assert.rejects(fetch(url));
        await profile.up();
        assert.equal((await fetch(url)).status, 200);
        assert.equal(javaLocal(new Date('2026-01-25T14:00:03.520Z'), 2), '2026-01-25T14:00:03.52');
    });
});
