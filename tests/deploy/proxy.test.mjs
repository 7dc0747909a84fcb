// The nginx example, unchanged, before the service: one process, two processes, and a server that tells what nginx sent it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import https from 'node:https';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { Postgres } from '../lib/postgres.js';
import { Server } from '../lib/server.js';
import { eventually, sessions, soon } from '../lib/world.js';
import { Nginx } from './lib/nginx.js';

/** One request through nginx. */
function ask(nginx, method, path, { token, body, headers = {}, from } = {}) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const all = {
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(text ? { 'Content-Type': 'application/json' } : {}),
        'Content-Length': Buffer.byteLength(text),
        ...headers,
    };
    return new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: nginx.port, method, path, ca: nginx.certificate.pem, headers: all, localAddress: from, servername: 'localhost', agent: false };
        const request = https.request(options, (answer) => {
            const chunks = [];
            answer.on('data', (chunk) => chunks.push(chunk));
            answer.on('error', reject);
            answer.on('end', () => {
                const whole = Buffer.concat(chunks).toString();
                const isJson = (answer.headers['content-type'] ?? '').startsWith('application/json');
                resolve({ status: answer.statusCode, headers: answer.headers, body: isJson ? JSON.parse(whole) : whole });
            });
        });
        request.on('error', reject);
        request.end(text);
    });
}

/** Books a visit and joins as the patient, everything under that prefix. */
async function joined(nginx, server, prefix = '') {
    const token = server.token('PATIENT', '34');
    const booking = { booking_type: 'DIRECT_DOCTOR', doctor_id: '12', patient_id: '34', scheduled_start_time: soon };
    const booked = await ask(nginx, 'POST', `${prefix}${sessions}`, { token, body: booking });
    assert.equal(booked.status, 201, JSON.stringify(booked.body));
    const path = `${prefix}${sessions}/${booked.body.session_id}`;
    const answer = await ask(nginx, 'POST', `${path}/join`, { token, body: {} });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { ...answer.body, path, token };
}

/** Opens the connection into the meeting through nginx, and sends a ping (RFC 6455 section 5.2) that must come back. */
async function signals(nginx, path, token) {
    const socket = tls.connect({ host: '127.0.0.1', port: nginx.port, ca: nginx.certificate.pem });
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
    socket.on('error', () => {});
    try {
        socket.write(
            `GET ${path} HTTP/1.1\r\nHost: localhost:${nginx.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
                `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Protocol: _aws_wt_session, ${token}\r\n\r\n`,
        );
        await eventually(() => bytes.includes('\r\n\r\n'), 'an answer to the upgrade');
        assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 101 /);
        socket.write(Buffer.concat([Buffer.from([0x89, 0x84, 0, 0, 0, 0]), Buffer.from('here')]));
        await eventually(() => bytes.includes(Buffer.concat([Buffer.from([0x8a, 4]), Buffer.from('here')])), 'the pong');
    } finally {
        socket.destroy();
    }
}

describe('nginx before one process', () => {
    let server;
    let nginx;
    before(async () => {
        server = await Server.start({ env: { TRUSTED_PROXIES: '127.0.0.1' } });
        nginx = await (await Nginx.start([`127.0.0.1:${server.port}`])).boot();
    });
    after(async () => {
        await nginx?.stop();
        await server?.stop();
    });

    test('the example is one that nginx takes, without a warning', () => {
        const { status, text } = nginx.check();
        assert.equal(status, 0, text);
        assert.doesNotMatch(text, /\[(warn|error|emerg)\]/);
    });

    test('plain HTTP leads to HTTPS', async () => {
        const answer = await fetch(`http://127.0.0.1:${nginx.plainPort}/room/x?y=z`, { redirect: 'manual' });
        assert.equal(answer.status, 308);
        assert.equal(answer.headers.get('location'), 'https://127.0.0.1/room/x?y=z');
    });

    for (const prefix of ['', '/video']) {
        test(`REST and the connection into a meeting, ${prefix ? `under ${prefix}` : 'without a prefix'}`, async () => {
            const visit = await joined(nginx, server, prefix);
            const url = new URL(visit.media_placement.signaling_url);
            // The service believed nginx about the scheme and the host.
            assert.equal(url.origin, `wss://127.0.0.1:${nginx.port}`);
            await signals(nginx, prefix + url.pathname, visit.attendee.join_token);
            assert.equal((await ask(nginx, 'GET', visit.path, { token: visit.token })).status, 200);
            assert.equal((await ask(nginx, 'GET', visit.path)).status, 401);
        });
    }

    test('the pages and health, under both', async () => {
        for (const path of ['/health', '/video/health', '/docs', '/video/docs', '/video/openapi.json']) {
            const answer = await ask(nginx, 'GET', path);
            assert.equal(answer.status, 200, path);
            assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000', path);
        }
    });

    test('what Prometheus asks for is not for everybody', async () => {
        for (const path of ['/metrics', '/video/metrics', '//metrics', '/%6detrics']) assert.equal((await ask(nginx, 'GET', path)).status, 404, path);
    });
});

describe('what nginx tells the service', () => {
    let spy;
    let nginx;
    let seen;
    let send;
    before(async () => {
        spy = createServer((request, response) => {
            seen = request;
            if (!request.url.endsWith('/stream')) return response.end('{}');
            response.writeHead(200, { 'Content-Type': 'text/event-stream' });
            send = (text) => response.write(text);
            send('event: joined\n\n');
        });
        await new Promise((done) => spy.listen(0, '127.0.0.1', done));
        nginx = await (await Nginx.start([`127.0.0.1:${spy.address().port}`])).boot();
    });
    after(async () => {
        await nginx?.stop();
        spy?.closeAllConnections();
        await new Promise((done) => spy.close(done));
    });

    test('the client\'s own address, not one that it claims', async () => {
        const claims = { 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.9;host=evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http' };
        await ask(nginx, 'GET', '/video/api/video/sessions?page=2', { headers: { ...claims, Host: 'video.example.org' }, from: '127.0.0.5' });
        assert.equal(seen.url, '/api/video/sessions?page=2');
        assert.equal(seen.headers['x-forwarded-for'], '127.0.0.5');
        assert.equal(seen.headers['x-forwarded-proto'], 'https');
        assert.equal(seen.headers['x-forwarded-host'], 'video.example.org');
        assert.equal(seen.headers.host, 'video.example.org');
        assert.equal(seen.headers.forwarded, undefined);
    });

    test('events arrive one by one, nothing is kept back', { timeout: 30_000 }, async () => {
        let text = '';
        const request = https.get({ host: '127.0.0.1', port: nginx.port, path: '/video/api/video/sessions/x/stream', ca: nginx.certificate.pem, servername: 'localhost', agent: false }, (answer) =>
            answer.on('data', (chunk) => (text += chunk)),
        );
        request.on('error', () => {});
        await eventually(() => text === 'event: joined\n\n', 'the first event');
        send('event: left\n\n');
        await eventually(() => text.endsWith('event: left\n\n'), 'the second');
        request.destroy();
    });

    test('a body of more than a megabyte goes no further', async () => {
        seen = undefined;
        const answer = await ask(nginx, 'POST', sessions, { body: { text: 'x'.repeat(1_100_000) } });
        assert.equal(answer.status, 413);
        assert.equal(seen, undefined);
    });
});

describe('nginx before two processes on one database', () => {
    let postgres;
    let servers;
    let nginx;
    before(async () => {
        postgres = await Postgres.start();
        const databaseUrl = postgres.url(await postgres.createDatabase());
        const env = (server) => ({ TRUSTED_PROXIES: '127.0.0.1', NODE_URL: `http://127.0.0.1:${server.port}` });
        servers = [];
        for (let i = 0; i < 2; ++i) servers.push(await Server.start({ databaseUrl, env }));
        nginx = await (await Nginx.start(servers.map((server) => `127.0.0.1:${server.port}`))).boot();
    });
    after(async () => {
        await nginx?.stop();
        for (const server of servers ?? []) await server.stop();
        await postgres?.stop();
    });

    test('each answers for both, and clients are told where the meeting is', async () => {
        const visit = await joined(nginx, servers[0]);
        const places = servers.map((server) => `ws://127.0.0.1:${server.port}`);
        assert.ok(places.includes(new URL(visit.media_placement.signaling_url).origin));
        for (let i = 0; i < 6; ++i) assert.equal((await ask(nginx, 'GET', visit.path, { token: visit.token })).status, 200);
    });

    test('one is gone: nobody who asks through nginx notices', async () => {
        const visit = await joined(nginx, servers[0]);
        await servers[1].kill();
        for (let i = 0; i < 12; ++i) assert.equal((await ask(nginx, 'GET', visit.path, { token: visit.token })).status, 200);
        await servers[1].boot();
    });
});
