// What the service has acknowledged survives kill -9 at any moment: 20 rounds on each store, under load.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { Postgres } from '../lib/postgres.js';
import { Server } from '../lib/server.js';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 20);
const CLIENTS = 16;
const doctor = '12';
const patient = '34';

/** One exchange; null when the connection broke before the whole answer was there. */
function send(agent, port, method, path, token, body) {
    return new Promise((resolve) => {
        const request = http.request(
            { agent, host: '127.0.0.1', port, method, path, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' } },
            (answer) => {
                const chunks = [];
                answer.on('data', (chunk) => chunks.push(chunk));
                answer.on('end', () => resolve(answer.complete ? { status: answer.statusCode, body: JSON.parse(Buffer.concat(chunks)) } : null));
                answer.on('error', () => resolve(null));
            },
        );
        request.on('error', () => resolve(null));
        request.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

/** Books, joins and ends visits until the service dies; notes the last state that was acknowledged for each. */
async function work(server, tokens, acknowledged) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const call = (method, path, who, body) => send(agent, server.port, method, path, tokens[who], body);
    for (;;) {
        const booked = await call('POST', '/api/video/sessions', 'doctor', {
            booking_type: 'DIRECT_DOCTOR', doctor_id: doctor, patient_id: patient, scheduled_start_time: '2031-05-05T10:00:00Z',
        });
        if (booked === null) break;
        assert.equal(booked.status, 201, JSON.stringify(booked.body));
        const id = booked.body.session_id;
        const path = `/api/video/sessions/${id}`;
        acknowledged.set(id, { status: 'SCHEDULED' });
        const joined = await call('POST', `${path}/join`, 'patient', {});
        if (joined === null) break;
        acknowledged.set(id, { status: 'WAITING', attendee: joined.body.attendee.attendee_id });
        const ended = await call('POST', `${path}/end`, 'doctor', { session_notes: `notes of ${id}` });
        if (ended === null) break;
        acknowledged.set(id, { status: 'COMPLETED', notes: `notes of ${id}`, events: 4 });
    }
    agent.destroy();
}

const order = ['SCHEDULED', 'WAITING', 'COMPLETED'];

async function rounds(server) {
    const tokens = { doctor: server.token('DOCTOR', doctor), patient: server.token('PATIENT', patient) };
    let total = 0;
    for (let round = 0; round < ROUNDS; ++round) {
        const acknowledged = new Map();
        const workers = Array.from({ length: CLIENTS }, () => work(server, tokens, acknowledged));
        // The moment is drawn anew each round; there is no event to wait for.
        setTimeout(() => server.process.kill('SIGKILL'), 50 + Math.random() * 250);
        await Promise.all(workers);
        await server.ended;
        await server.boot();
        const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        await Promise.all(
            [...acknowledged].map(async ([id, last]) => {
                const path = `/api/video/sessions/${id}`;
                const now = await send(agent, server.port, 'GET', path, tokens.doctor);
                assert.equal(now.status, 200, `round ${round}: session ${id}, acknowledged as ${last.status}, is lost`);
                assert.ok(order.indexOf(now.body.status) >= order.indexOf(last.status), `round ${round}: ${id} fell back from ${last.status} to ${now.body.status}`);
                if (last.notes) assert.equal(now.body.session_notes, last.notes);
                if (last.events) {
                    const trail = await send(agent, server.port, 'GET', `${path}/events`, tokens.doctor);
                    assert.equal(trail.body.length, last.events, `round ${round}: audit of ${id}: ${trail.body.map((e) => e.event_type)}`);
                }
            }),
        );
        agent.destroy();
        assert.ok(acknowledged.size > 0, `round ${round} acknowledged nothing`);
        total += acknowledged.size;
    }
    return total;
}

test(`kill -9, ${ROUNDS} rounds on SQLite: no acknowledged write is lost`, async (t) => {
    const server = await Server.start();
    try {
        t.diagnostic(`${await rounds(server)} sessions acknowledged, none lost`);
    } finally {
        await server.stop();
    }
});

test(`kill -9, ${ROUNDS} rounds on PostgreSQL: no acknowledged write is lost`, async (t) => {
    const postgres = await Postgres.start();
    const server = await Server.start({ databaseUrl: postgres.url(await postgres.createDatabase()) });
    try {
        t.diagnostic(`${await rounds(server)} sessions acknowledged, none lost`);
    } finally {
        await server.stop();
        await postgres.stop();
    }
});
