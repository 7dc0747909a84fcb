// The appointments service on the message broker: what it declares, what it publishes, and what its two listeners make of
// every message that the broker delivers to them. Its rules are applied as they are, with all their oddities, because it
// is not ours to change.
import { randomUUID } from 'node:crypto';
import { appointmentOf, javaLocal } from './platform.js';

export const topics = { appointments: 'appointments-exchange', users: 'user-events-exchange' };
const sessionAnswers = 'video-session-responses-appointments';
const completions = 'video-consultation-events-appointments';

const durable = { durable: true, autoDelete: false };

/** What a JSON reader of Java gives as text: nothing for what is missing, and the word `null` for null. */
function asText(value) {
    if (value === undefined) return '';
    if (value === null) return 'null';
    return typeof value === 'object' ? '' : String(value);
}

/** Java's own reading of a UUID: five groups of hexadecimal digits, lengths not looked at too closely. */
function uuidOf(text) {
    if (!/^[0-9a-f]{1,8}-[0-9a-f]{1,4}-[0-9a-f]{1,4}-[0-9a-f]{1,4}-[0-9a-f]{1,12}$/i.test(text)) throw new Error(`Invalid UUID string: ${text}`);
    return text.toLowerCase();
}

export class AppointmentsService {
    /**
     * @param {import('./rabbitmq.js').RabbitMq} broker
     * @param {{ era?: 'chime' | 'present' }} options which field of `video.session.created` it reads the meeting from:
     *     `meeting_id` in the days of Chime, `room_id` now.
     */
    static async start(broker, { era = 'present' } = {}) {
        const service = new AppointmentsService();
        Object.assign(service, { broker, era, running: true });
        service.appointments = new Map();
        /** What each listener did, oldest first: { outcome: handled | ignored | logged | rejected, reason, properties, text }. */
        service.answers = [];
        service.completions = [];
        await service.connect();
        return service;
    }

    /** Its client library comes back by itself when the broker does. */
    async connect() {
        this.connection = await this.broker.connect();
        this.channel = await this.connection.createConfirmChannel();
        this.channel.on('error', () => {});
        this.connection.once('close', () => this.reconnect());
        await this.channel.assertExchange(topics.appointments, 'topic', durable);
        await this.channel.assertExchange(topics.users, 'topic', durable);
        await this.channel.assertQueue(sessionAnswers, { durable: true, exclusive: false, autoDelete: false });
        await this.channel.bindQueue(sessionAnswers, topics.appointments, 'video.session.#');
        await this.channel.assertQueue(completions, { durable: true, exclusive: false, autoDelete: false });
        await this.channel.bindQueue(completions, topics.users, 'appointment.consultation.completed');
        await this.channel.prefetch(50);
        const { channel } = this;
        await channel.consume(sessionAnswers, (message) => this.onSessionAnswer(channel, message));
        await channel.consume(completions, (message) => this.onCompletion(channel, message));
    }

    async reconnect() {
        while (this.running) {
            try {
                return await this.connect();
            } catch {
                await new Promise((resolve) => setTimeout(resolve, 200));
            }
        }
    }

    async stop() {
        this.running = false;
        await this.channel.close().catch(() => {});
        await this.connection.close().catch(() => {});
    }

    // --- listener 1: raw bytes, whatever their type; every failure is logged and acknowledged ----------------------------

    onSessionAnswer(channel, message) {
        if (message === null) return;
        const text = message.content.toString('utf8');
        const note = { properties: message.properties, routingKey: message.fields.routingKey, text };
        this.answers.push(note);
        try {
            Object.assign(note, this.readSessionAnswer(JSON.parse(text)));
        } catch (error) {
            Object.assign(note, { outcome: 'logged', reason: error.message });
        }
        channel.ack(message);
    }

    readSessionAnswer(body) {
        const data = body?.data ?? {};
        switch (asText(body?.event_type)) {
            case 'video.session.created': {
                const id = uuidOf(asText(data.appointment_id));
                const meetingId = asText(this.era === 'chime' ? data.meeting_id : data.room_id);
                const meetingLink = asText(data.meeting_url);
                const appointment = this.appointments.get(id);
                if (!appointment) return { outcome: 'ignored', reason: 'no such appointment' };
                // The columns' lengths.
                if (meetingId.length > 100 || meetingLink.length > 500) throw new Error('value too long for its column');
                Object.assign(appointment, { meetingId, meetingLink });
                return { outcome: 'handled', appointmentId: id };
            }
            case 'video.session.creation.failed':
                return { outcome: 'logged', reason: asText(data.error), appointmentId: asText(data.appointment_id) };
            case 'video.session.started':
            case 'video.session.completed':
                return { outcome: 'logged', reason: asText(data.session_id) };
            default:
                return { outcome: 'ignored', reason: 'not an event it knows' };
        }
    }

    // --- listener 2: a parameter of type String behind a JSON converter --------------------------------------------------

    onCompletion(channel, message) {
        if (message === null) return;
        const note = { properties: message.properties, routingKey: message.fields.routingKey, text: message.content.toString('utf8') };
        this.completions.push(note);
        let text;
        try {
            text = convert(message);
        } catch (error) {
            Object.assign(note, { outcome: 'rejected', reason: error.message });
            channel.reject(message, false);
            return;
        }
        try {
            Object.assign(note, this.readCompletion(JSON.parse(text)));
        } catch (error) {
            Object.assign(note, { outcome: 'logged', reason: error.message });
        }
        channel.ack(message);
    }

    readCompletion(body) {
        if (body?.event_type !== 'video.consultation.completed') return { outcome: 'ignored', reason: 'not an event it knows' };
        const { data } = body;
        for (const name of ['appointment_id', 'doctor_id', 'patient_id']) {
            if (typeof data?.[name] !== 'string') throw new Error(`${name} is not a text`);
        }
        if (typeof data.duration_minutes !== 'number') throw new Error('duration_minutes is not a number');
        const id = uuidOf(data.appointment_id);
        const appointment = this.appointments.get(id);
        if (!appointment) return { outcome: 'ignored', reason: 'no such appointment' };
        if (appointment.doctorId !== data.doctor_id || appointment.patientId !== data.patient_id) throw new Error('other people than the appointment has');
        // Its present state is not looked at, and neither is `completed_at`.
        Object.assign(appointment, { status: 'COMPLETED', actualEndTime: javaLocal(new Date(), 9) });
        return { outcome: 'handled', appointmentId: id, minutes: data.duration_minutes };
    }

    /** How often each outcome came about. */
    counts(notes) {
        const counts = { handled: 0, ignored: 0, logged: 0, rejected: 0 };
        for (const note of notes) ++counts[note.outcome];
        return counts;
    }

    // --- what it publishes ------------------------------------------------------------------------------------------------

    async publish(event, data, { properties = {}, content } = {}) {
        const body = content ?? Buffer.from(JSON.stringify({ data, event_type: event }));
        this.channel.publish(topics.appointments, event, body, {
            contentType: 'application/json',
            contentEncoding: 'UTF-8',
            deliveryMode: 2,
            priority: 0,
            headers: { __ContentTypeId__: 'java.lang.Object', __KeyTypeId__: 'java.lang.Object', __TypeId__: 'java.util.HashMap' },
            ...properties,
        });
        await this.channel.waitForConfirms();
    }

    /** A patient books; the video service is asked before the booking is even stored. */
    async book({ appointmentId = randomUUID(), doctorId, patientId, time = new Date(Date.now() + 3600_000), store = true }) {
        const appointment = appointmentOf({ appointmentId, doctorId, patientId, time });
        if (store) this.appointments.set(appointmentId, appointment);
        await this.askForSession(appointment);
        return appointment;
    }

    askForSession({ appointmentId, doctorId, patientId, appointmentDate }) {
        return this.publish('appointment.video.create', {
            scheduled_time: appointmentDate,
            appointment_id: appointmentId,
            patient_id: patientId,
            doctor_id: doctorId,
            timestamp: javaLocal(new Date(), 9),
        });
    }

    /** Asks again while there is no link. */
    async verifyPayment(appointmentId) {
        const appointment = this.appointments.get(appointmentId);
        appointment.paymentStatus = 'PAID';
        const asks = !appointment.meetingLink;
        if (asks) await this.askForSession(appointment);
        return asks;
    }

    async startVideo(appointmentId, doctorId) {
        const appointment = this.appointments.get(appointmentId);
        if (appointment.appointmentType !== 'VIRTUAL' || appointment.paymentStatus !== 'PAID' || appointment.meetingId === null) {
            throw new Error('Video consultation cannot be started');
        }
        await this.publish('appointment.video.start', { session_id: appointment.meetingId, doctor_id: doctorId, timestamp: javaLocal(new Date(), 2) });
    }

    async endVideo(appointmentId, userId, role) {
        const appointment = this.appointments.get(appointmentId);
        Object.assign(appointment, { status: 'COMPLETED', actualEndTime: javaLocal(new Date(), 9) });
        await this.publish('appointment.video.end', {
            session_id: appointment.meetingId, ended_by: userId, ended_by_role: role, timestamp: javaLocal(new Date(), 1),
        });
    }
}

/** Spring's JSON converter with a String as its target. */
function convert(message) {
    const type = message.properties.contentType;
    const text = message.content.toString('utf8');
    if (type !== undefined && type !== 'application/octet-stream' && !type.includes('json')) return text;
    const value = JSON.parse(text);
    if (typeof value !== 'string') throw new Error('Cannot deserialize value of type `java.lang.String` from Object value');
    return value;
}
