// Visits under load, open loop: so many requests a second whatever the answers take, every one of them kept on record.
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';

const later = () => new Date(Date.now() + 7 * 86_400_000).toISOString();

/** Of sorted numbers. */
export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

export class Load {
    /**
     * @param {import('./server.js').Server} server
     * @param {{ rate: number }} options requests a second.
     */
    constructor(server, { rate }) {
        Object.assign(this, { server, rate });
        this.tokens = { doctor: server.token('DOCTOR', 'load-doctor'), patient: server.token('PATIENT', 'load-patient') };
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
        /** Milliseconds. */
        this.latencies = [];
        this.failures = [];
        this.sent = 0;
        /** Of each session: the routing keys that the acknowledged requests must have caused, in order. */
        this.visits = new Map();
        this.ready = [];
        this.open = new Set();
    }

    /** What a visit does, and what the platform is told about each step. */
    static steps = [
        { method: 'POST', path: '/join', who: 'patient', body: {}, events: ['video.session.started', 'video.user.joined'] },
        { method: 'POST', path: '/join', who: 'doctor', body: {}, events: ['video.user.joined'] },
        { method: 'POST', path: '/leave', who: 'patient', events: ['video.user.left'] },
        { method: 'POST', path: '/end', who: 'doctor', body: {}, events: ['video.session.ended', 'appointment.consultation.completed'] },
    ];

    start() {
        const begun = performance.now();
        let issued = 0;
        this.timer = setInterval(() => {
            const due = Math.floor(((performance.now() - begun) * this.rate) / 1000);
            for (; issued < due; ++issued) this.issue();
        }, 5);
        return this;
    }

    /** No further requests; resolves when the last one is answered. */
    async stop() {
        clearInterval(this.timer);
        await Promise.all(this.open);
        this.agent.destroy();
        this.latencies.sort((a, b) => a - b);
    }

    issue() {
        const visit = this.ready.shift();
        const work = (visit ? this.goOn(visit) : this.book()).finally(() => this.open.delete(work));
        this.open.add(work);
    }

    async book() {
        const appointmentId = randomUUID();
        const answer = await this.send('POST', '/api/video/sessions', 'patient', {
            booking_type: 'CLINIC_BASED', appointment_id: appointmentId, doctor_id: 'load-doctor', patient_id: 'load-patient', scheduled_start_time: later(),
        });
        if (answer?.status !== 201) return;
        const visit = { id: answer.body.session_id, appointmentId, next: 0, expected: ['video.session.created'] };
        this.visits.set(visit.id, visit);
        this.ready.push(visit);
    }

    async goOn(visit) {
        const step = Load.steps[visit.next];
        const answer = await this.send(step.method, `/api/video/sessions/${visit.id}${step.path}`, step.who, step.body);
        if (answer?.status !== 200) return;
        visit.expected.push(...step.events);
        if (++visit.next < Load.steps.length) this.ready.push(visit);
    }

    send(method, path, who, body) {
        ++this.sent;
        const begun = performance.now();
        return new Promise((resolve) => {
            const fail = (why) => {
                this.failures.push({ method, path, why });
                resolve(null);
            };
            const request = http.request(
                {
                    agent: this.agent, host: '127.0.0.1', port: this.server.port, method, path,
                    headers: { Authorization: `Bearer ${this.tokens[who]}`, 'Content-Type': 'application/json' },
                },
                (answer) => {
                    const chunks = [];
                    answer.on('data', (chunk) => chunks.push(chunk));
                    answer.on('error', (error) => fail(error.message));
                    answer.on('end', () => {
                        const text = Buffer.concat(chunks).toString('utf8');
                        if (!answer.complete) return fail('the answer was cut off');
                        this.latencies.push(performance.now() - begun);
                        if (answer.statusCode >= 300) this.failures.push({ method, path, why: `${answer.statusCode} ${text.slice(0, 200)}` });
                        resolve({ status: answer.statusCode, body: JSON.parse(text) });
                    });
                },
            );
            request.on('error', (error) => fail(error.message));
            request.end(body === undefined ? undefined : JSON.stringify(body));
        });
    }
}

/**
 * Compares what was acknowledged with what arrived at the broker: nothing lost, each session in order, the same message
 * twice only under the same id.
 * @returns {{ events: number, duplicates: number, problems: string[] }}
 */
export function auditEvents(visits, messages) {
    const problems = [];
    const bySession = new Map();
    const texts = new Map();
    let duplicates = 0;
    for (const message of messages) {
        const id = `${message.exchange} ${message.properties.messageId}`;
        if (!message.properties.messageId) problems.push(`without a message_id: ${message.text}`);
        if (texts.has(id)) {
            ++duplicates;
            if (texts.get(id) !== message.text) problems.push(`one message_id, two messages: ${message.text}`);
            continue;
        }
        texts.set(id, message.text);
        const session = message.properties.headers?.session_id;
        if (!bySession.has(session)) bySession.set(session, []);
        bySession.get(session).push(message);
    }
    for (const visit of visits.values()) {
        const got = (bySession.get(visit.id) ?? []).filter((each) => each.exchange === 'appointments-exchange');
        const keys = got.map((each) => each.key);
        // A request that was cut off may have taken effect: then there is more than was acknowledged.
        if (visit.expected.some((key, place) => keys[place] !== key)) problems.push(`session ${visit.id}: expected ${visit.expected}, got ${keys}`);
        const sequences = got.map((each) => Number(each.properties.headers.sequence));
        if (sequences.some((each, place) => place > 0 && each <= sequences[place - 1])) problems.push(`session ${visit.id}: out of order, ${sequences}`);
        const completions = (bySession.get(visit.id) ?? []).filter((each) => each.exchange === 'user-events-exchange').length;
        const wanted = visit.expected.includes('appointment.consultation.completed') ? 1 : completions;
        if (completions !== wanted) problems.push(`session ${visit.id}: ${completions} completions for the appointments service`);
    }
    return { events: texts.size, duplicates, problems };
}

/** How many messages the acknowledged requests must have caused, on both exchanges together. */
export function expectedMessages(visits) {
    let count = 0;
    for (const { expected } of visits.values()) count += expected.length + (expected.includes('appointment.consultation.completed') ? 1 : 0);
    return count;
}
