// Pages of other origins: who may read answers, what a preflight says, which settings are refused.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Socket } from '../cluster/lib/socket.mjs';
import { programPath } from '../lib/server.js';
import { World, sessions } from '../lib/world.js';

const elsewhere = 'https://elsewhere.example';
const clinic = 'https://clinic.example';

const crossing = (answer) => Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));

function worldWith(env) {
    let world;
    before(async () => {
        world = await World.open({ env });
    });
    after(() => world?.close());
    return () => world;
}

function preflight(world, Origin, target = sessions, method = 'POST') {
    return world.client.request('OPTIONS', target, {
        headers: { Origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization,content-type' },
    });
}

/** What the program says when it does not start. */
function refusal(origins) {
    const folder = mkdtempSync(join(tmpdir(), 'vc-cors-'));
    try {
        const { status, stderr } = spawnSync(programPath, [], {
            cwd: folder,
            env: { PATH: process.env.PATH, HOST: '127.0.0.1', JWT_SECRET_KEY: 'a secret', CORS_ORIGINS: origins, AWS_EC2_METADATA_DISABLED: 'true' },
            encoding: 'utf8',
            timeout: 20_000,
        });
        assert.notEqual(status, 0);
        return stderr;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

describe('by default', () => {
    const world = worldWith({});

    test('pages of other origins may read nothing', async () => {
        const visit = await world().visit();
        const answers = [
            await preflight(world(), elsewhere), await preflight(world(), elsewhere, visit.path, 'GET'),
            await world().client.request('GET', visit.path, { headers: { Origin: elsewhere }, token: visit.doctor }),
            await world().client.request('GET', visit.path, { headers: { Origin: elsewhere } }),
            await world().client.request('GET', '/nothing', { headers: { Origin: elsewhere } }),
        ];
        for (const answer of answers) assert.deepEqual(crossing(answer), []);
    });

    test('the page of the service itself is served and reads answers, as nothing of this concerns it', async () => {
        const { url } = world().server;
        const answer = await world().client.request('GET', '/health', { headers: { Origin: url, 'Sec-Fetch-Site': 'same-origin' } });
        assert.equal(answer.status, 200);
        assert.equal((await fetch(`${url}/room/x`)).status, 200);
    });

    test('a signalling connection is let in by its token, wherever its page comes from', async () => {
        const visit = await world().visit();
        const { body } = await visit.join(visit.patient);
        const url = new URL(body.media_placement.signaling_url);
        for (const origin of [elsewhere, world().server.url]) {
            const stranger = await Socket.open(url.href, ['_aws_wt_session', 'not-a-token'], 5000, { Origin: origin });
            assert.equal(await stranger.over, 4403);
            const socket = await Socket.open(url.href, ['_aws_wt_session', body.attendee.join_token], 5000, { Origin: origin });
            assert.equal(socket.code, null);
            socket.stream.destroy();
            await socket.over;
        }
    });
});

describe('named origins', () => {
    const world = worldWith({ CORS_ORIGINS: `${clinic}, http://localhost:3000` });

    test('may ask and read, with credentials', async () => {
        for (const origin of [clinic, 'http://localhost:3000']) {
            const asked = await preflight(world(), origin);
            assert.equal(asked.headers['access-control-allow-origin'], origin);
            assert.equal(asked.headers['access-control-allow-credentials'], 'true');
            assert.equal(asked.headers['access-control-max-age'], '600');
            assert.equal(asked.headers.vary, 'Origin');
            const read = await world().client.request('GET', sessions, { headers: { Origin: origin }, token: world().admin });
            assert.equal(read.headers['access-control-allow-origin'], origin);
            assert.equal(read.headers['access-control-allow-credentials'], 'true');
            const exposed = read.headers['access-control-expose-headers'].split(', ');
            for (const name of ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'ETag', 'X-Request-ID', 'WWW-Authenticate']) assert.ok(exposed.includes(name), name);
        }
    });

    test('are told why they are refused', async () => {
        for (const [target, status] of [[sessions, 401], ['/nothing', 404]]) {
            const answer = await world().client.request('GET', target, { headers: { Origin: clinic } });
            assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [status, clinic]);
        }
    });

    test('a preflight tells what its path has, and which fields may be sent', async () => {
        for (const [path, methods] of [[sessions, ['POST', 'GET']], [`${sessions}/x/notes`, ['PUT']], [`${sessions}/x/transcription`, ['POST', 'DELETE']]]) {
            const { headers } = await preflight(world(), clinic, path, methods[0]);
            const told = headers['access-control-allow-methods'].split(', ');
            for (const method of methods) assert.ok(told.includes(method), `${method} ${path}`);
            assert.equal(told.includes('PATCH'), false, path);
            const fields = headers['access-control-allow-headers'].toLowerCase().split(', ');
            for (const name of ['authorization', 'content-type', 'if-match', 'idempotency-key', 'traceparent', 'last-event-id', 'x-user-id', 'x-user-role']) assert.ok(fields.includes(name), name);
        }
    });

    test('no other origin gets in by looking like one', async () => {
        for (const origin of [elsewhere, `${clinic}.evil.example`, 'http://clinic.example', `${clinic}:8443`, 'null', 'https://CLINIC.example', `${elsewhere}, ${clinic}`]) {
            assert.deepEqual(crossing(await preflight(world(), origin)), [], origin);
            const read = await world().client.request('GET', '/', { headers: { Origin: origin } });
            assert.deepEqual(crossing(read), [], origin);
            assert.equal(read.headers.vary, 'Origin');
        }
    });
});

describe('any origin', () => {
    const world = worldWith({ CORS_ORIGINS: '*' });

    test('may read, but not with credentials', async () => {
        const read = await world().client.request('GET', sessions, { headers: { Origin: elsewhere }, token: world().admin });
        for (const answer of [await preflight(world(), elsewhere), read]) {
            assert.equal(answer.headers['access-control-allow-origin'], '*');
            assert.equal(answer.headers['access-control-allow-credentials'], undefined);
        }
    });
});

describe('settings', () => {
    test('a star beside names contradicts itself, and what is no origin is refused', () => {
        assert.match(refusal(`*,${clinic}`), /CORS_ORIGINS: expected either \* or origins by name/);
        for (const wrong of ['clinic.example', `${clinic}/path`, 'https://*.example']) assert.match(refusal(wrong), /CORS_ORIGINS: expected origins such as/);
    });
});

describe('X-User-* fields', () => {
    const world = worldWith({});

    test('are never believed: the token says who asks', async () => {
        const visit = await world().visit();
        const stranger = world().pair();
        const claims = (id, role) => ({ 'X-User-ID': id, 'X-User-Role': role, 'X-User-Email': 'admin@example.org' });
        for (const headers of [claims(visit.doctorId, 'DOCTOR'), claims('admin-1', 'CLINIC_ADMIN'), claims(visit.patientId, 'PATIENT')]) {
            const ask = (method, path, token, body) => world().client.request(method, path, { token, body, headers });
            assert.equal((await ask('GET', visit.path)).status, 401);
            assert.equal((await ask('POST', `${visit.path}/join`, undefined, {})).status, 401);
            assert.equal((await ask('GET', visit.path, stranger.doctor)).status, 403);
            assert.equal((await ask('POST', `${visit.path}/join`, stranger.patient, {})).status, 403);
            assert.equal((await ask('PUT', `${visit.path}/notes`, visit.patient, { session_notes: 'mine' })).status, 403);
            assert.equal((await ask('GET', '/api/video/metrics/usage', visit.patient)).status, 403);
            const listed = await ask('GET', sessions, stranger.patient);
            assert.equal(listed.body.total, 0);
        }
    });
});
