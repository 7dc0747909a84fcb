// The program as a person starts it, with nothing configured but its ports, and visits to try it with.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, programPath } from '../../lib/server.js';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

export class Service {
    /** `place`: where it runs, as Server.start takes it. */
    static async create(env = {}, place = {}) {
        const service = new Service();
        // Without a secret it makes one, and prints links to a demo consultation.
        service.server = await Server.start({ env: { JWT_SECRET_KEY: undefined, ...env }, ...place });
        return service;
    }

    get url() {
        return this.server.url;
    }

    get port() {
        return this.server.port;
    }

    get mediaPort() {
        return this.server.mediaPort;
    }

    start() {
        return this.server.boot();
    }

    /** As if the machine had lost its power. */
    kill() {
        return this.server.kill();
    }

    dispose() {
        return this.server.stop();
    }

    /** The two links that a fresh service prints, by role. */
    async demoLinks() {
        const links = {};
        await until('the demo links', () => {
            for (const [link, token] of this.server.log.matchAll(/https?:\/\/\S+\/room\/[^\s#]+#token=([\w.-]+)/g)) {
                links[JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).role] = link;
            }
            return links.DOCTOR && links.PATIENT;
        });
        return links;
    }

    /** Minted by the program itself, which knows the secret it has made. */
    token(role, user) {
        const { stdout, stderr, status } = spawnSync(programPath, ['token', '--role', role, '--user', user], {
            cwd: this.server.folder,
            env: this.server.env,
            encoding: 'utf8',
        });
        if (status !== 0) throw new Error(`no token: ${stderr}`);
        return stdout.trim();
    }

    async call(method, path, token, body) {
        const answer = await fetch(`${this.url}/api/video${path}`, {
            method,
            headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        const value = await answer.json();
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(value)}`);
        return value;
    }

    /** A booked visit of doctor 12 and patient 34, with what each needs to take part. */
    async visit() {
        const tokens = { DOCTOR: this.token('DOCTOR', '12'), PATIENT: this.token('PATIENT', '34') };
        const { session_id: id } = await this.call('POST', '/sessions', tokens.DOCTOR, {
            booking_type: 'DIRECT_DOCTOR',
            doctor_id: '12',
            patient_id: '34',
            scheduled_start_time: new Date().toISOString(),
            chief_complaint: 'Follow-up consultation',
        });
        return {
            id,
            link: (role) => `${this.url}/room/${id}#token=${tokens[role]}`,
            get: () => this.call('GET', `/sessions/${id}`, tokens.DOCTOR),
            join: (role, more = {}) => this.call('POST', `/sessions/${id}/join`, tokens[role], { device_type: 'web', browser_info: 'test', ...more }),
            leave: (role) => this.call('POST', `/sessions/${id}/leave`, tokens[role]),
            end: () => this.call('POST', `/sessions/${id}/end`, tokens.DOCTOR, {}),
            cancel: () => this.call('POST', `/sessions/${id}/cancel`, tokens.DOCTOR, { cancellation_reason: 'The doctor is ill today' }),
            attendee: async (role) => (await this.call('GET', `/sessions/${id}`, tokens.DOCTOR)).attendees.find((a) => a.role === role),
        };
    }
}

export function sleep(milliseconds) {
    return new Promise((done) => setTimeout(done, milliseconds));
}

/** Asks again and again until the answer is truthy; says what it was waiting for when it gives up. */
export async function until(what, ask, patience = 15_000) {
    const deadline = Date.now() + patience;
    let last;
    for (;;) {
        last = await ask();
        if (last) return last;
        if (Date.now() > deadline) throw new Error(`waited ${patience} ms in vain for ${what}`);
        await sleep(50);
    }
}
