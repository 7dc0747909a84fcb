// Visits under load, written down: what the service acknowledged, and afterwards whether it is still true. Every request
// is repeated until it is acknowledged, as a careful client does: a booking under its Idempotency-Key.
import assert from 'node:assert/strict';
import http from 'node:http';
import { randomUUID } from 'node:crypto';

const order = ['SCHEDULED', 'WAITING', 'COMPLETED'];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Ledger {
    /**
     * @param {() => import('../../lib/server.js').Server} server the one to ask, asked anew for each request
     * @param {{ clients?: number }} [options]
     */
    constructor(server, { clients = 16 } = {}) {
        Object.assign(this, { server, clients, running: false });
        this.doctor = `doctor-${randomUUID().slice(0, 8)}`;
        this.patient = `patient-${randomUUID().slice(0, 8)}`;
        this.tokens = { doctor: server().token('DOCTOR', this.doctor, 86_400), patient: server().token('PATIENT', this.patient, 86_400) };
        /** By marker: the visit's id, the last state that was acknowledged, the times of the acknowledgements. */
        this.visits = new Map();
        this.acknowledged = 0;
        this.repeated = 0;
        this.refused = new Map();
        this.times = [];
    }

    start() {
        this.running = true;
        this.agent = new http.Agent({ keepAlive: true, maxSockets: this.clients });
        this.workers = Array.from({ length: this.clients }, () =>
            this.work().catch((error) => {
                this.error ??= error;
                this.running = false;
            }),
        );
        return this;
    }

    /** Lets every visit that is under way come to its end; the service must work by then. */
    async stop() {
        this.running = false;
        await Promise.all(this.workers);
        this.agent.destroy();
        if (this.error) throw this.error;
    }

    async work() {
        while (this.running) {
            const visit = { marker: randomUUID(), status: undefined };
            this.visits.set(visit.marker, visit);
            const booked = await this.insist('POST', '/api/video/sessions', 'doctor', 201, {
                booking_type: 'DIRECT_DOCTOR', doctor_id: this.doctor, patient_id: this.patient, scheduled_start_time: '2031-05-05T10:00:00Z', chief_complaint: visit.marker,
            }, { 'Idempotency-Key': visit.marker });
            const path = `/api/video/sessions/${booked.session_id}`;
            Object.assign(visit, { id: booked.session_id, status: 'SCHEDULED' });
            await this.insist('POST', `${path}/join`, 'patient', 200, {});
            visit.status = 'WAITING';
            await this.insist('POST', `${path}/end`, 'doctor', 200, { session_notes: `notes of ${visit.marker}` }, {}, /already completed/);
            visit.status = 'COMPLETED';
        }
    }

    /** The answer's body, once it comes. `done`: the refusal that an earlier, unheard success leads to. */
    async insist(method, path, who, status, body, headers = {}, done) {
        for (;;) {
            const answer = await this.send(method, path, who, body, headers);
            if (answer?.status === status || (done && answer?.status === 400 && done.test(answer.body.detail))) {
                ++this.acknowledged;
                this.times.push(Date.now());
                return answer.body;
            }
            const why = answer ? `${answer.status} ${JSON.stringify(answer.body)}` : 'no answer';
            this.refused.set(why, (this.refused.get(why) ?? 0) + 1);
            assert.ok(!answer || answer.status >= 500 || answer.status === 429, `${method} ${path}: ${why}`);
            ++this.repeated;
            await pause(20 + Math.random() * 100);
        }
    }

    /** One exchange; null when no whole answer came. */
    send(method, path, who, body, headers) {
        return new Promise((resolve) => {
            const content = body === undefined ? undefined : JSON.stringify(body);
            const request = http.request(
                {
                    agent: this.agent, host: '127.0.0.1', port: this.server().port, method, path, timeout: 15_000,
                    headers: { ...headers, Authorization: `Bearer ${this.tokens[who]}`, ...(content ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(content) } : {}) },
                },
                (answer) => {
                    const chunks = [];
                    answer.on('data', (chunk) => chunks.push(chunk));
                    answer.on('end', () => {
                        if (!answer.complete) return resolve(null);
                        const text = Buffer.concat(chunks).toString('utf8');
                        resolve({ status: answer.statusCode, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text });
                    });
                    answer.on('error', () => resolve(null));
                },
            );
            request.on('timeout', () => request.destroy());
            request.on('error', () => resolve(null));
            request.end(content);
        });
    }

    /** Waits for so many more acknowledgements. */
    async more(count, limit = 60_000) {
        const [goal, deadline] = [this.acknowledged + count, Date.now() + limit];
        while (this.acknowledged < goal) {
            if (this.error) throw this.error;
            assert.ok(Date.now() < deadline, `${goal - this.acknowledged} of ${count} acknowledgements are missing after ${limit} ms; ${this.reasons()}`);
            await pause(5);
        }
    }

    reasons() {
        return [...this.refused].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([why, count]) => `${count} × ${why}`).join('; ') || 'none refused';
    }

    /** Milliseconds from `moment` to the first acknowledgement after it. */
    recovered(moment) {
        const first = this.times.find((time) => time > moment);
        assert.ok(first, 'nothing was acknowledged any more');
        return first - moment;
    }

    /** Reads everything back. */
    async verify() {
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        const get = async (path) => {
            let answer = await this.send('GET', path, 'doctor', undefined, {});
            // What was wrong may take a moment to be over for everybody.
            for (let tries = 0; tries < 50 && !(answer?.status < 500); ++tries) {
                await pause(200);
                answer = await this.send('GET', path, 'doctor', undefined, {});
            }
            assert.equal(answer?.status, 200, `${path}: ${JSON.stringify(answer?.body)}`);
            return answer.body;
        };
        const found = new Map();
        for (let page = 1, total = 1; (page - 1) * 100 < total; ++page) {
            const list = await get(`/api/video/sessions?page_size=100&page=${page}`);
            total = list.total;
            for (const session of list.sessions) found.set(session.chief_complaint, [...(found.get(session.chief_complaint) ?? []), session]);
        }
        const [lost, doubled] = [[], []];
        for (const visit of this.visits.values()) {
            const [session, ...others] = found.get(visit.marker) ?? [];
            if (others.length) doubled.push(`${visit.marker} was booked ${others.length + 1} times`);
            if (!visit.status) continue;
            if (!session || session.session_id !== visit.id) lost.push(`${visit.id}, acknowledged as ${visit.status}, is not there`);
            else if (order.indexOf(session.status) < order.indexOf(visit.status)) lost.push(`${visit.id} fell back from ${visit.status} to ${session.status}`);
            else if (visit.status === 'COMPLETED' && session.session_notes !== `notes of ${visit.marker}`) lost.push(`the notes of ${visit.id}`);
        }
        const completed = [...this.visits.values()].filter((visit) => visit.status === 'COMPLETED');
        for (let at = 0; at < completed.length; at += 8) {
            await Promise.all(completed.slice(at, at + 8).map(async ({ id }) => {
                const types = (await get(`/api/video/sessions/${id}/events`)).map((each) => each.event_type);
                for (const type of ['SESSION_CREATED', 'MEETING_CREATED', 'USER_JOINED', 'SESSION_ENDED']) {
                    const times = types.filter((each) => each === type).length;
                    if (times === 0) lost.push(`${type} of ${id}`);
                    if (times > 1) doubled.push(`${type} of ${id}, ${times} times`);
                }
            }));
        }
        this.agent.destroy();
        assert.deepEqual(lost.slice(0, 5), [], `${lost.length} lost`);
        assert.deepEqual(doubled.slice(0, 5), [], `${doubled.length} doubled`);
        return `${this.acknowledged} requests acknowledged, 0 lost, 0 doubled; ${this.repeated} repeated (${this.reasons()})`;
    }
}
