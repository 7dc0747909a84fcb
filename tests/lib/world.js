// A running service on a fresh store, a checking client, and people in it. `eachStore` gives every test to both stores.
import { after, before, describe } from 'node:test';
import { randomUUID } from 'node:crypto';
import assert from 'node:assert/strict';
import { Client } from './client.js';
import { Postgres } from './postgres.js';
import { Server } from './server.js';
import { Several } from './several.js';

export const sessions = '/api/video/sessions';

/** In the future, so that no session counts as missed while a test runs. */
export const soon = new Date(Math.floor(Date.now() / 1000) * 1000 + 3600_000).toISOString().replace('.000Z', 'Z');

/** NODES=2: worlds with PostgreSQL have two processes behind nginx, and there are no others. */
const inSeveral = process.env.NODES === '2';

let people = 1000;

export class World {
    static async open({ store = 'sqlite', env = {} } = {}) {
        const world = new World();
        world.store = store;
        try {
            if (store === 'postgres') {
                world.postgres = await Postgres.start();
                world.database = await world.postgres.createDatabase();
            }
            world.server = await (world.postgres && inSeveral ? Several : Server).start({ env, databaseUrl: world.postgres?.url(world.database) });
            world.client = await Client.connect(world.server.url);
        } catch (error) {
            await world.close();
            throw error;
        }
        return world;
    }

    async close() {
        this.client?.close();
        await this.server?.stop();
        await this.postgres?.stop();
    }

    token(role, userId) {
        return this.server.token(role, userId);
    }

    /** Targets, without those that nginx refuses itself where it stands in front. */
    passable(targets) {
        return targets.filter((each) => !this.server.nodes || !each.includes('%00'));
    }

    get admin() {
        return (this.adminToken ??= this.token('CLINIC_ADMIN', 'admin-1'));
    }

    /** Two people who appear nowhere else. */
    pair() {
        const [doctorId, patientId] = [String(people++), String(people++)];
        return { doctorId, patientId, doctor: this.token('DOCTOR', doctorId), patient: this.token('PATIENT', patientId) };
    }

    booking(pair, changes = {}) {
        return {
            booking_type: 'DIRECT_DOCTOR',
            doctor_id: pair.doctorId,
            patient_id: pair.patientId,
            scheduled_start_time: soon,
            ...changes,
        };
    }

    /** A booked session of two new people, with everything a test needs to act on it. */
    async visit(changes = {}, pair = this.pair()) {
        const { client } = this;
        const booked = await client.post(sessions, pair.patient, this.booking(pair, changes));
        assert.equal(booked.status, 201, booked.text);
        const path = `${sessions}/${booked.body.session_id}`;
        const visit = {
            ...pair,
            id: booked.body.session_id,
            path,
            booked: booked.body,
            get: (token = pair.doctor) => client.get(path, token),
            events: (token = pair.doctor) => client.get(`${path}/events`, token),
            join: (token, body = {}) => client.post(`${path}/join`, token, body),
            start: (token) => client.request('POST', `${path}/start`, { token }),
            leave: (token) => client.request('POST', `${path}/leave`, { token }),
            end: (token, body = {}) => client.post(`${path}/end`, token, body),
            cancel: (token, reason = 'The patient cannot come.') => client.post(`${path}/cancel`, token, { cancellation_reason: reason }),
            notes: (token, text) => client.put(`${path}/notes`, token, { session_notes: text }),
        };
        /** Brings it to a state. */
        visit.to = async (status) => {
            const steps = {
                SCHEDULED: [],
                WAITING: [() => visit.join(pair.patient)],
                ACTIVE: [() => visit.join(pair.patient), () => visit.join(pair.doctor)],
                COMPLETED: [() => visit.join(pair.patient), () => visit.join(pair.doctor), () => visit.end(pair.doctor)],
                CANCELLED: [() => visit.cancel(pair.patient)],
            };
            for (const step of steps[status]) assert.equal((await step()).status, 200);
            return visit;
        };
        return visit;
    }

    newAppointment() {
        return randomUUID();
    }
}

/** @param {(world: () => World) => void} tests gets a function, because the world exists only once the tests run. */
export function eachStore(name, tests, { stores = ['sqlite', 'postgres'], env } = {}) {
    for (const store of inSeveral ? stores.filter((each) => each === 'postgres') : stores) {
        describe(`${name} (${store})`, () => {
            let world;
            before(async () => {
                world = await World.open({ store, env });
            });
            after(() => world?.close());
            tests(() => world);
        });
    }
}

/**
 * Waits until `probe` gives a true value, and gives it on.
 * @param {string | (() => string)} what it waits for
 */
export async function eventually(probe, what, limit = 10_000) {
    const deadline = Date.now() + limit;
    for (;;) {
        const value = await probe();
        if (value) return value;
        if (Date.now() > deadline) assert.fail(`not within ${limit} ms: ${typeof what === 'function' ? what() : what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
