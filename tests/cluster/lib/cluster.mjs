// Several nodes on one PostgreSQL, with one secret, and a visit that may be asked for at any of them.
import assert from 'node:assert/strict';
import { Postgres } from '../../lib/postgres.js';
import { Server } from '../../lib/server.js';

/** A node without three heartbeats and some margin is dead: what it has may be taken over. */
export const noticed = 7500;

/** Whatever a node's own secret is: on one database there is one key for what lies in it. */
const encryptionKey = `cluster:${Buffer.alloc(32, 7).toString('base64')}`;

export class Cluster {
    /** `nodes`: what each has in its environment beside what it needs. */
    static async start(...nodes) {
        const cluster = new Cluster();
        cluster.nodes = [];
        try {
            cluster.postgres = await Postgres.start();
            cluster.database = await cluster.postgres.createDatabase();
            for (const env of nodes) await cluster.add(env);
        } catch (error) {
            await cluster.stop();
            throw error;
        }
        return cluster;
    }

    async add(env = {}) {
        const node = await Server.start({
            databaseUrl: this.postgres.url(this.database),
            env: (server) => ({ NODE_URL: server.url, ENCRYPTION_KEY: encryptionKey, ...env }),
        });
        this.nodes.push(node);
        return node;
    }

    async stop() {
        for (const node of this.nodes) {
            // One that a test has stopped in its tracks does not hear the request to end.
            if (node.process.exitCode !== null || node.process.signalCode !== null) continue;
            node.process.kill('SIGCONT');
            // Asked twice, it does not wait for the people that a failed test has left in it.
            if (node.env.DRAIN_SECONDS) node.process.kill('SIGTERM');
        }
        await Promise.all(this.nodes.map((node) => node.stop()));
        await this.postgres?.stop();
    }

    query(sql) {
        return this.postgres.query(sql, this.database);
    }

    /** The node whose address this is. */
    at(signalingUrl) {
        const host = new URL(signalingUrl).host;
        return this.nodes.find((node) => new URL(node.url).host === host);
    }

    /** A booked visit of two people. Each call names the node that is asked; `front`: anything with a URL. */
    async visit(front = this.nodes[0], changes = {}) {
        const tokens = { DOCTOR: front.token?.('DOCTOR', '12') ?? this.nodes[0].token('DOCTOR', '12'), PATIENT: this.nodes[0].token('PATIENT', '34') };
        const booked = await ask(front, 'POST', '/sessions', tokens.DOCTOR, {
            booking_type: 'DIRECT_DOCTOR', doctor_id: '12', patient_id: '34', scheduled_start_time: new Date().toISOString(), ...changes,
        });
        assert.equal(booked.status, 201, JSON.stringify(booked.body));
        const id = booked.body.session_id;
        return {
            id,
            tokens,
            link: (role, at = front) => `${at.url}/room/${id}#token=${tokens[role]}`,
            join: (role, node = front) => ask(node, 'POST', `/sessions/${id}/join`, tokens[role], { device_type: 'web', browser_info: 'test' }),
            leave: (role, node = front) => ask(node, 'POST', `/sessions/${id}/leave`, tokens[role]),
            end: (node = front) => ask(node, 'POST', `/sessions/${id}/end`, tokens.DOCTOR, {}),
            get: async (node = front) => (await ask(node, 'GET', `/sessions/${id}`, tokens.DOCTOR)).body,
        };
    }

    /** Stays of a visit's people, oldest first: `{ role, joined, left }` in milliseconds, `left` null while there. */
    async stays(visitId) {
        const rows = await this.query(
            `select role, extract(epoch from joined_at) * 1000, extract(epoch from left_at) * 1000 from video_consultation_attendance where session_id = '${visitId}' order by joined_at`,
        );
        return rows.map((row) => {
            const [role, joined, left] = row.split('|');
            return { role, joined: Number(joined), left: left === '' ? null : Number(left) };
        });
    }

    async place(visitId) {
        const [row] = await this.query(
            `select p.node_id, p.epoch from video_consultation_meeting_places p join video_consultation_meetings m using (meeting_id) where m.session_id = '${visitId}'`,
        );
        if (!row) return null;
        const [node, epoch] = row.split('|');
        return { node, epoch: Number(epoch) };
    }

    /** One figure of a node's /metrics, `name` without prefix, labels included. */
    static async metric(node, name) {
        const text = await (await fetch(`${node.url}/metrics`)).text();
        const line = text.split('\n').find((each) => each.startsWith(`video_consultation_${name} `));
        return line === undefined ? undefined : Number(line.split(' ').pop());
    }
}

/** An answer, or status 0 when there was none. */
export async function ask(node, method, path, token, body) {
    try {
        const answer = await fetch(`${node.url}/api/video${path}`, {
            method,
            headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
            body: body === undefined ? undefined : JSON.stringify(body),
            signal: AbortSignal.timeout(10_000),
        });
        return { status: answer.status, body: await answer.json() };
    } catch {
        return { status: 0, body: null };
    }
}

/** Nobody was in twice at the same time, and nobody left before they came. */
export function assertWhole(stays) {
    for (const role of ['DOCTOR', 'PATIENT']) {
        let end = -Infinity;
        for (const stay of stays.filter((each) => each.role === role)) {
            assert.ok(stay.joined >= end, `${role} was in twice: ${JSON.stringify(stays)}`);
            end = stay.left ?? Infinity;
            assert.ok(end >= stay.joined, `${role} left before coming: ${JSON.stringify(stays)}`);
        }
    }
}
