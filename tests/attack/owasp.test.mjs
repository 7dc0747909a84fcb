// OWASP API Security Top 10 (2023), item by item.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, sign as signWith } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import { Server } from '../lib/server.js';
import { sign } from '../lib/tokens.js';
import { eachStore, eventually, sessions, soon } from '../lib/world.js';

const now = () => Math.floor(Date.now() / 1000);
const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A peer that counts who comes. */
async function listener(answer = (request, response) => response.end('{}')) {
    const seen = [];
    const server = http.createServer((request, response) => {
        seen.push(request.url);
        answer(request, response);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { seen, port: server.address().port, stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))) };
}

eachStore('OWASP', (world) => {
    const others = (visit) => [world().pair().doctor, world().pair().patient, world().token('DOCTOR', visit.patientId), world().token('PATIENT', visit.doctorId), world().token('PHARMACIST', visit.doctorId)];

    test("API1 broken object level authorization: nobody reaches another's session, by whatever door", async () => {
        const { client } = world();
        const appointment = randomUUID();
        const visit = await (await world().visit({ booking_type: 'CLINIC_BASED', appointment_id: appointment, chief_complaint: 'for two people only' })).to('ACTIVE');
        for (const token of others(visit)) {
            for (const [method, target, body] of [
                ['GET', visit.path], ['GET', `${visit.path}/events`], ['GET', `${sessions}/by-appointment/${appointment}`], ['POST', `${visit.path}/join`, {}], ['POST', `${visit.path}/end`, {}],
                ['POST', `${visit.path}/start`], ['POST', `${visit.path}/leave`], ['POST', `${visit.path}/cancel`, { cancellation_reason: 'I would like to, you see' }], ['PUT', `${visit.path}/notes`, { session_notes: 'x' }],
                ['POST', `${sessions}/${appointment}/join`, {}], ['GET', `${sessions}/doctor/${visit.doctorId}`], ['GET', `${sessions}/patient/${visit.patientId}`],
            ]) {
                // A list of one's own under the same id in another role is nobody else's.
                if (token === world().token('DOCTOR', visit.patientId) && target.endsWith(visit.patientId)) continue;
                const answer = await client.request(method, target, { token, body });
                const own = answer.status === 200 && answer.body?.total === 0;
                assert.ok([403, 404].includes(answer.status) || own || /\/(doctor|patient)\//.test(target), `${method} ${target} → ${answer.status} ${answer.text.slice(0, 200)}`);
                if (!/\/(doctor|patient)\//.test(target)) assert.ok(!answer.text.includes('for two people only'), target);
            }
        }
        assert.equal((await visit.get()).body.status, 'ACTIVE');
    });

    test('API2 broken authentication: none, another algorithm, tricks of the header, past and future', async () => {
        const { client, server } = world();
        const visit = await world().visit();
        const good = { user_id: visit.doctorId, role: 'DOCTOR', exp: now() + 600, iat: now() };
        const hs256 = { alg: 'HS256', typ: 'JWT' };
        const right = sign(good, server.secret);
        const [head, claims, signature] = right.split('.');
        const bad = [
            `${part({ alg: 'none' })}.${claims}.`, `${part({ alg: 'None' })}.${claims}.`, `${part({ alg: 'nOnE' })}.${claims}.${signature}`, `${part({ typ: 'JWT' })}.${claims}.${signature}`,
            sign(good, server.secret, { alg: 'HS384', typ: 'JWT' }), sign(good, server.secret, { alg: 'HS512', typ: 'JWT' }),
            sign(good, '', { ...hs256, kid: '/dev/null' }), sign(good, '', { ...hs256, kid: '../../../../dev/null' }), sign(good, 'x', { ...hs256, kid: "' UNION SELECT 'x'; --" }),
            sign(good, 'x', { ...hs256, jwk: { kty: 'oct', k: part('x') } }), sign(good, 'x', { ...hs256, jku: 'http://127.0.0.1:1/keys' }), sign(good, 'x', { ...hs256, x5u: 'http://127.0.0.1:1/keys' }),
            sign(good, server.secret, { ...hs256, crit: ['exp'] }), sign(good, server.secret, { ...hs256, b64: false, crit: ['b64'] }),
            sign({ ...good, exp: now() - 1 }, server.secret), sign({ ...good, exp: -1 }, server.secret), sign({ ...good, exp: 'tomorrow' }, server.secret), sign({ ...good, exp: undefined }, server.secret),
            sign({ ...good, nbf: now() + 600 }, server.secret), sign({ ...good, aud: 'somebody else' }, server.secret),
            `${head}.${claims}.`, `${head}.${claims}`, `${head}.${claims}.${signature}.x`, `${head}..${signature}`, `.${claims}.${signature}`, `${head}.${claims}.${signature.slice(0, -1)}`, `${head}.${claims}.${signature}=`,
            `${head}.${part({ ...good, role: 'ADMIN' })}.${signature}`, `${head}.${claims}.${Buffer.from(signature, 'base64url').toString('base64')}+`, ` ${right.replace('.', ' .')}`, `${'a'.repeat(8000)}.${claims}.${signature}`,
        ];
        for (const token of bad) {
            const answer = await client.request('GET', visit.path, { headers: { Authorization: `Bearer ${token}` } });
            assert.equal(answer.status, 401, `${token.slice(0, 200)} → ${answer.status}`);
            assert.equal(answer.headers['www-authenticate'], 'Bearer');
        }
        assert.equal((await client.get(visit.path, right)).status, 200);
        // Not in the address, where logs would keep it, nor in a cookie, which browsers send by themselves.
        assert.equal((await client.request('GET', `${visit.path}?token=${right}&access_token=${right}`, {})).status, 401);
        assert.equal((await client.request('GET', visit.path, { headers: { Cookie: `token=${right}; Authorization=Bearer ${right}` } })).status, 401);
    });

    test('API2: how long a refusal takes says nothing about how much of a signature was right', async (t) => {
        const { server } = world();
        const [head, claims, signature] = sign({ user_id: '1', role: 'DOCTOR', exp: now() + 600 }, server.secret).split('.');
        const bytes = Buffer.from(signature, 'base64url');
        const wrongAt = (place) => {
            const copy = Buffer.from(bytes);
            copy[place] ^= 1;
            return `Bearer ${head}.${claims}.${copy.toString('base64url')}`;
        };
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const time = (authorization) => new Promise((resolve, reject) => {
            const begun = performance.now();
            http.get({ agent, host: '127.0.0.1', port: server.port, path: '/api/video/sessions/none', headers: { Authorization: authorization } }, (answer) => {
                answer.resume();
                answer.on('end', () => resolve(performance.now() - begun));
            }).on('error', reject);
        });
        const [first, last] = [wrongAt(0), wrongAt(31)];
        const times = { first: [], last: [] };
        for (let round = 0; round < 3000; ++round) {
            times.first.push(await time(first));
            times.last.push(await time(last));
        }
        agent.destroy();
        const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
        const [a, b] = [median(times.first), median(times.last)];
        t.diagnostic(`median ${(a * 1000).toFixed(0)} µs with the first byte wrong, ${(b * 1000).toFixed(0)} µs with the last`);
        assert.ok(Math.abs(a - b) < 0.1 * Math.max(a, b), `${a} ms, ${b} ms`);
    });

    test('API3 broken object property level authorization: what a caller may not set stays unset, what they may not see is not there', async () => {
        const { client } = world();
        const pair = world().pair();
        const forged = {
            session_id: randomUUID(), status: 'COMPLETED', version: 99, created_at: '2001-01-01T00:00:00Z', actual_start_time: '2001-01-01T00:00:00Z', actual_end_time: '2001-01-01T00:00:00Z', meeting_id: 'mine',
            doctor_joined_at: '2001-01-01T00:00:00Z', session_notes: 'written by the patient', connection_quality_rating: 5, cancelled_by: 'x', role: 'ADMIN', attendees: [{ user_id: 'x' }], media_placement_signaling_url: 'wss://evil.example',
        };
        const booked = await client.post(sessions, pair.patient, world().booking(pair, forged));
        assert.equal(booked.status, 201, booked.text);
        const { body } = booked;
        assert.notEqual(body.session_id, forged.session_id);
        assert.equal(body.status, 'SCHEDULED');
        for (const name of ['actual_start_time', 'actual_end_time', 'meeting_id', 'doctor_joined_at', 'session_notes', 'media_placement_signaling_url']) assert.equal(body[name], null, name);
        const path = `${sessions}/${body.session_id}`;
        const joined = await client.post(`${path}/join`, pair.patient, { role: 'DOCTOR', user_id: pair.doctorId, attendee_id: 'x' });
        assert.equal(joined.body.attendee.role, 'PATIENT');
        assert.equal(joined.body.attendee.user_id, pair.patientId);
        for (const answer of [await client.get(path, pair.doctor), await client.get(`${path}/events`, pair.doctor), await client.get(sessions, pair.doctor)]) {
            assert.ok(!answer.text.includes(joined.body.attendee.join_token), 'a join token is told once, to whom it belongs');
            assert.ok(!/row_mac|chain_mac|open_interval|"version":|fingerprint/.test(answer.text));
        }
    });

    test('API4 unrestricted resource consumption: pages, numbers, bodies and texts have an end', async () => {
        const { client } = world();
        for (const query of ['page_size=101', 'page_size=0', 'page=0', 'page=-1', 'page_size=1e9', 'page=99999999999999999999', `page_size=${'9'.repeat(4000)}`]) {
            assert.equal((await client.get(`${sessions}?${query}`, world().admin)).status, 422, query);
        }
        assert.deepEqual((await client.get(`${sessions}?page=2147483647&page_size=100`, world().admin)).body.sessions, []);
        const pair = world().pair();
        for (const change of [{ chief_complaint: 'x'.repeat(65_000) }, { doctor_id: 'x'.repeat(101) }, { appointment_id: 'x'.repeat(37) }, { consultation_duration_minutes: 1e9 }]) {
            const answer = await client.post(sessions, pair.doctor, world().booking(pair, change));
            assert.ok([413, 422, 403].includes(answer.status), `${Object.keys(change)} → ${answer.status}`);
        }
    });

    test('API4: texts made to be slow to read are read as quickly as others (ReDoS)', async () => {
        const { client } = world();
        const pair = world().pair();
        const patterns = [`${'a'.repeat(30_000)}!`, `${'2031-05-05T10:00:00'.repeat(1500)}`, '0'.repeat(30_000), `${'['.repeat(15_000)}${']'.repeat(15_000)}`, `${' '.repeat(30_000)}x`, `${'1.'.repeat(15_000)}`];
        const time = async (text) => {
            const begun = performance.now();
            const body = JSON.stringify({ ...world().booking(pair), scheduled_start_time: text, appointment_id: text.slice(0, 9000) });
            assert.equal((await client.request('POST', sessions, { token: pair.doctor, text: body })).status, 422);
            return performance.now() - begun;
        };
        await time('warm');
        for (const text of patterns) assert.ok((await time(text)) < 250, `${text.slice(0, 20)}… took too long`);
    });

    test('API5 broken function level authorization: functions of other roles stay theirs', async () => {
        const { client } = world();
        const visit = await (await world().visit()).to('ACTIVE');
        const expected = [
            ['GET', '/api/video/metrics/usage', visit.patient, 403], ['POST', `${visit.path}/end`, visit.patient, 403, {}], ['PUT', `${visit.path}/notes`, visit.patient, 403, { session_notes: 'x' }],
            ['PUT', `${visit.path}/notes`, world().admin, 403, { session_notes: 'x' }], ['POST', `${visit.path}/transcription`, visit.patient, 403, {}], ['POST', `${visit.path}/start`, visit.patient, 403],
            ['POST', '/api/video/chime/events', visit.doctor, 401, { detail: {} }],
        ];
        for (const [method, target, token, status, body] of expected) {
            const answer = await client.request(method, target, { token, body });
            assert.ok(answer.status === status || (status === 401 && [404, 403].includes(answer.status)), `${method} ${target} → ${answer.status}`);
        }
        // A method that means another one is taken for neither.
        for (const headers of [{ 'X-HTTP-Method-Override': 'DELETE' }, { 'X-Method-Override': 'PUT' }]) {
            assert.equal((await client.request('GET', visit.path, { token: visit.patient, headers })).status, 200);
        }
        assert.equal((await visit.get()).body.status, 'ACTIVE');
    });

    test('API6 unrestricted access to sensitive business flows: one appointment is booked once, however often and fast', async () => {
        const { client } = world();
        const pair = world().pair();
        const booking = world().booking(pair, { booking_type: 'CLINIC_BASED', appointment_id: randomUUID() });
        const answers = await Promise.all(Array.from({ length: 40 }, () => client.post(sessions, pair.patient, booking)));
        assert.equal(new Set(answers.map((answer) => answer.body.session_id)).size, 1);
        assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
    });

    test('API8 security misconfiguration: nothing of the inside is told, nothing foreign is believed', async () => {
        const { client, server } = world();
        const visit = await world().visit();
        const crash = await client.request('GET', `${visit.path}%00`, { token: visit.doctor });
        assert.ok([400, 404].includes(crash.status));
        for (const target of [visit.path, '/', '/docs', '/nowhere', '/openapi.json', '/health']) {
            const answer = await client.request('GET', target, { token: visit.doctor });
            assert.equal(answer.headers['x-content-type-options'], 'nosniff', target);
            assert.ok(!answer.headers['access-control-allow-origin'], target);
            assert.ok(!/\/(home|usr|build|tmp)\//.test(answer.headers['content-type']?.includes('json') && target !== '/openapi.json' ? answer.text : ''), target);
            assert.ok(!/clang|boost|\d+\.\d+\.\d+ \(/i.test(answer.headers.server ?? ''), answer.headers.server);
        }
        assert.match((await client.get(visit.path, visit.doctor)).headers['cache-control'], /no-store/);
        const headers = { 'X-User-ID': visit.doctorId, 'X-User-Role': 'ADMIN', 'X-Forwarded-User': 'admin', 'X-Original-URL': '/health', 'X-Rewrite-URL': '/health' };
        assert.equal((await client.request('GET', visit.path, { headers })).status, 401);
        assert.equal((await client.request('GET', visit.path, { token: world().pair().patient, headers })).status, 403);
        for (const path of ['/..%2f..%2fetc/passwd', '/assets/..%2f..%2f..%2fetc%2fpasswd', '/docs/%2e%2e%2fopenapi.json', '/assets/%00', '//etc/passwd', '/api/video//sessions', '/API/VIDEO/sessions', '/api/video/sessions/%2e%2e', '/.env', '/.git/config', '/debug/pprof']) {
            const answer = await client.exchange('GET', path, { Authorization: `Bearer ${visit.doctor}` });
            assert.ok([400, 404, 307].includes(answer.status), `${path} → ${answer.status}`);
            assert.ok(!/root:|JWT_SECRET/.test(answer.text), path);
        }
        const trace = await client.request('TRACE', visit.path, { token: visit.doctor });
        assert.equal(trace.status, 405);
        assert.ok(!trace.text.includes(visit.doctor));
        assert.ok(!server.log.includes(visit.doctor));
    });

    test('API8: signalling wants a join token, from whatever origin; a page elsewhere gets nowhere with what a browser sends by itself', async () => {
        const { server } = world();
        const visit = await world().visit();
        const joined = (await visit.join(visit.doctor)).body;
        const path = new URL(joined.media_placement.signaling_url).pathname;
        const upgrade = (fields) => new Promise((resolve) => {
            const socket = net.connect(server.port, '127.0.0.1', () =>
                socket.write([`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Origin: https://evil.example', ...fields, '', ''].join('\r\n')));
            let bytes = Buffer.alloc(0);
            socket.on('data', (more) => {
                bytes = Buffer.concat([bytes, more]);
            });
            socket.on('error', () => {});
            socket.setTimeout(15_000, () => socket.destroy());
            socket.on('close', () => resolve({ status: Number(bytes.subarray(9, 12)), frames: bytes.subarray(bytes.indexOf('\r\n\r\n') + 4) }));
        });
        const beggars = [[], [`Cookie: token=${visit.doctor}`], [`Authorization: Bearer ${visit.doctor}`], ['Sec-WebSocket-Protocol: _aws_wt_session'], ['Sec-WebSocket-Protocol: _aws_wt_session, x']];
        await Promise.all(beggars.map(async (fields) => {
            // The protocol tells about a bad token over the open socket: by a close frame, before anything else.
            const { status, frames } = await upgrade(fields);
            assert.ok(status >= 400 || (status === 101 && frames[0] === 0x88), `${fields} → ${status} ${frames.toString('hex')}`);
        }));
    });

    test('API9 improper inventory management: what is there is documented, what is not is not there', async () => {
        const { client } = world();
        for (const path of ['/api/video', '/api/v1/video/sessions', '/api/video/v2/sessions', '/api/video/admin', '/api/video/internal/sessions', '/api/video/debug', '/actuator', '/admin', '/graphql', '/api/video/sessions/x/recording', '/swagger.json']) {
            assert.equal((await client.request('GET', path, { token: world().admin })).status, path === '/api/video/sessions/x/recording' ? 404 : 404, path);
        }
    });
});

describe('OWASP API2 with public keys', () => {
    let server;
    let folder;
    let keys;
    before(async () => {
        folder = mkdtempSync(join(tmpdir(), 'vc-keys-'));
        keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
        writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] }));
        server = await Server.start({ env: { JWT_ALGORITHM: 'RS256', JWT_JWKS_FILE: join(folder, 'jwks.json') } });
    });
    after(async () => {
        await server?.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    const claims = () => ({ user_id: '12', role: 'DOCTOR', exp: now() + 600 });
    const status = async (token) => (await fetch(`${server.url}${sessions}`, { headers: { Authorization: `Bearer ${token}` } })).status;
    const rs256 = (header, body, key) => {
        const text = `${part(header)}.${part(body)}`;
        return `${text}.${signWith('sha256', Buffer.from(text), key).toString('base64url')}`;
    };

    test('the public key is no secret: a token signed with it by HMAC is refused; so are other keys, and tricks with `kid`', async () => {
        assert.equal(await status(rs256({ alg: 'RS256', kid: 'one' }, claims(), keys.privateKey)), 200);
        const pem = keys.publicKey.export({ type: 'spki', format: 'pem' });
        const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
        for (const token of [
            sign(claims(), pem, { alg: 'HS256', typ: 'JWT', kid: 'one' }), sign(claims(), pem.trim(), { alg: 'HS256', typ: 'JWT' }), sign(claims(), keys.publicKey.export({ type: 'pkcs1', format: 'pem' }), { alg: 'HS256', kid: 'one' }),
            sign(claims(), server.secret), rs256({ alg: 'RS256', kid: 'one' }, claims(), other.privateKey), rs256({ alg: 'RS256', kid: 'two' }, claims(), keys.privateKey), rs256({ alg: 'RS256', kid: '../jwks.json' }, claims(), other.privateKey),
            rs256({ alg: 'RS256', jwk: other.publicKey.export({ format: 'jwk' }) }, claims(), other.privateKey), rs256({ alg: 'RS256', kid: 'one', jku: 'http://127.0.0.1:1/' }, claims(), other.privateKey),
            rs256({ alg: 'RS512', kid: 'one' }, claims(), keys.privateKey), rs256({ alg: 'PS256', kid: 'one' }, claims(), keys.privateKey), rs256({ alg: 'ES256', kid: 'one' }, claims(), keys.privateKey), rs256({ alg: 'none' }, claims(), keys.privateKey),
        ]) assert.equal(await status(token), 401, token.slice(0, 120));
    });
});

describe('OWASP API7 server side request forgery', () => {
    const key = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

    async function bookOn(server) {
        const token = server.token('DOCTOR', '12');
        const answer = await fetch(`${server.url}${sessions}`, {
            method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
            body: JSON.stringify({ booking_type: 'DIRECT_DOCTOR', doctor_id: '12', patient_id: '34', scheduled_start_time: soon }),
        });
        assert.equal(answer.status, 201);
    }

    test('a webhook at a private address is not called unless it is allowed', async () => {
        const inside = await listener();
        let server = await Server.start({ env: { OUTGOING_ALLOW: '', WEBHOOK_URLS: `http://127.0.0.1:${inside.port}/a,http://localhost:${inside.port}/b`, WEBHOOK_SECRET: key } });
        try {
            await bookOn(server);
            await eventually(async () => (await (await fetch(`${server.url}/metrics`)).text()).match(/outbox_failed_total\{channel="webhooks"\} [1-9]/), 'a failed attempt is counted', 20_000);
            assert.deepEqual(inside.seen, []);
        } finally {
            await server.stop();
        }
        server = await Server.start({ env: { OUTGOING_ALLOW: '127.0.0.0/8', WEBHOOK_URLS: `http://127.0.0.1:${inside.port}/a`, WEBHOOK_SECRET: key } });
        try {
            await bookOn(server);
            await eventually(() => inside.seen.includes('/a'), 'it is called once it is allowed', 20_000);
        } finally {
            await server.stop();
            await inside.stop();
        }
    });

    test('nor is a set of keys fetched from one', async () => {
        const inside = await listener((request, response) => response.end('{"keys":[]}'));
        const server = await Server.start({ env: { OUTGOING_ALLOW: '', JWT_ALGORITHM: 'RS256', JWT_JWKS_URL: `http://127.0.0.1:${inside.port}/keys` } });
        try {
            const answer = await fetch(`${server.url}${sessions}`, { headers: { Authorization: `Bearer ${part({ alg: 'RS256', kid: 'x' })}.${part({ user_id: '1', role: 'ADMIN', exp: now() + 60 })}.eA` } });
            assert.ok([401, 503].includes(answer.status));
            assert.deepEqual(inside.seen, []);
        } finally {
            await server.stop();
            await inside.stop();
        }
    });
});

describe('OWASP API10 unsafe consumption of APIs', () => {
    test('a neighbour that answers with nonsense, too much, for ever, or leads elsewhere, costs names and nothing else', async () => {
        const elsewhere = await listener();
        const answers = [
            (request, response) => response.end('<html>'),
            (request, response) => response.end(`{"firstName":"${'x'.repeat(4_000_000)}"}`),
            (request, response) => response.writeHead(302, { Location: `http://127.0.0.1:${elsewhere.port}/inside` }).end(),
            (request, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).write('{'),
            (request, response) => response.end(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
            (request, response) => response.end('{"firstName":"<script>alert(1)</script>\\u0000\\ud800","lastName":{"a":[]},"id":1e999}'),
            (request, response) => request.socket.destroy(),
        ];
        for (const answer of answers) {
            const profile = await listener(answer);
            const server = await Server.start({ env: { PROFILE_SERVICE_URL: `http://127.0.0.1:${profile.port}` } });
            try {
                const begun = performance.now();
                const booked = await fetch(`${server.url}${sessions}`, {
                    method: 'POST', headers: { Authorization: `Bearer ${server.token('DOCTOR', '12')}`, 'Content-Type': 'application/json' },
                    body: JSON.stringify({ booking_type: 'DIRECT_DOCTOR', doctor_id: '12', patient_id: '34', scheduled_start_time: soon }),
                });
                assert.equal(booked.status, 201, String(answer));
                assert.ok(performance.now() - begun < 5000, String(answer));
                assert.ok((await booked.text()).length < 10_000);
            } finally {
                await server.stop();
                await profile.stop();
            }
        }
        assert.deepEqual(elsewhere.seen, []);
        await elsewhere.stop();
    });
});
