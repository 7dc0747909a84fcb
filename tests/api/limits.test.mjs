// What a client can do wrong below the level of requests: sizes, methods, slowness, nonsense on the wire.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eachStore, sessions } from '../lib/world.js';

/** Sends bytes and gives back all that comes until the server closes, or until `enough` of it came. */
function raw(port, content, { enough = () => false, limit = 30_000 } = {}) {
    return new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(content));
        let text = '';
        const timer = setTimeout(() => done(), limit);
        const done = () => {
            clearTimeout(timer);
            socket.destroy();
            resolve(text);
        };
        socket.on('data', (chunk) => {
            text += chunk.toString('latin1');
            if (enough(text)) done();
        });
        socket.on('close', done);
        // A server that refuses may close before everything was written.
        socket.on('error', (error) => (['ECONNRESET', 'EPIPE'].includes(error.code) ? done() : reject(error)));
    });
}

const status = (text) => Number(text.match(/^HTTP\/1\.1 (\d{3})/)?.[1]);

eachStore('limits', (world) => {
    test('a body of 64 KiB is read, a larger one is 413', async () => {
        const { client } = world();
        const pair = world().pair();
        const body = JSON.stringify(world().booking(pair));
        const padded = (size) => `${body.slice(0, -1)},"x":"${'x'.repeat(size - body.length - 7)}"}`;
        assert.equal(padded(65536).length, 65536);
        assert.equal((await client.request('POST', sessions, { token: pair.patient, text: padded(65536) })).status, 201);
        const answer = await raw(world().server.port, `POST ${sessions} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 65537\r\n\r\n`, { enough: (text) => text.includes('}') });
        assert.equal(status(answer), 413);
        assert.match(answer, /\{"detail":".+"\}/);
    });

    test('headers beyond 16 KiB are 431', async () => {
        const { client } = world();
        assert.equal((await client.request('GET', '/', { headers: { 'X-Large': 'x'.repeat(15_000) } })).status, 200);
        const answer = await raw(world().server.port, `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(17_000)}\r\n\r\n`, { enough: (text) => text.includes('}') });
        assert.equal(status(answer), 431);
    });

    test('methods that a path does not have are 405 and told, unknown paths 404', async () => {
        const { client } = world();
        for (const [method, target, allow] of [
            ['DELETE', sessions, 'POST, GET, HEAD'], ['GET', `${sessions}/x/transcription`, 'POST, DELETE'], ['GET', '/api/video/chime/events', 'POST'], ['POST', '/metrics', 'GET, HEAD'], ['DELETE', `${sessions}/x/events`, 'GET, HEAD'], ['GET', `${sessions}/x/join`, 'POST'], ['POST', `${sessions}/x/notes`, 'PUT'],
            ['PUT', '/health', 'GET, HEAD'], ['POST', '/docs', 'GET, HEAD'], ['PROPFIND', '/', 'GET, HEAD'],
        ]) {
            const answer = await client.request(method, target);
            assert.equal(answer.status, 405, `${method} ${target}`);
            assert.deepEqual(answer.headers.allow.split(', ').sort(), [...allow.split(', '), 'OPTIONS'].sort(), `${method} ${target}`);
            assert.deepEqual(answer.body, { detail: 'Method Not Allowed' });
        }
        for (const target of ['/api', '/api/video', '/api/video/session', `${sessions}/x/y`, `${sessions}/x/join/now`, '//', `${sessions}/%zz`, '/assets/..%2f..%2fetc%2fpasswd', '/.env']) {
            assert.deepEqual((await client.request('GET', target)).body, { detail: 'Not Found' }, target);
        }
    });

    test('a trailing slash leads to the path without, relative', async () => {
        const { client } = world();
        for (const [target, location] of [[`${sessions}/`, '../sessions'], [`${sessions}/?page=2`, '../sessions?page=2'], [`${sessions}/x/join/`, '../join'], ['/health/', '../health'], ['/docs/', '../docs']]) {
            const answer = await client.request('GET', target);
            assert.deepEqual([answer.status, answer.headers.location], [307, location]);
            assert.equal(new URL(location, new URL(target, 'http://gateway/video/').href).pathname.endsWith('/'), false);
        }
    });

    test('nonsense on the wire is 400 or a closed connection, and the service lives on', async () => {
        const { server, client } = world();
        for (const nonsense of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET /${'\x00'.repeat(10)} HTTP/1.1\r\nHost: x\r\n\r\n`,
            `POST ${sessions} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n`, `POST ${sessions} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
            `POST ${sessions} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`]) {
            const answer = await raw(server.port, Buffer.from(nonsense, 'latin1'), { limit: 2_000 });
            assert.ok(answer === '' || (status(answer) >= 400 && status(answer) < 500), JSON.stringify([nonsense, answer]));
        }
        assert.equal((await client.get('/health/live')).status, 200);
    });

    test('a sender that takes forever is cut off', { timeout: 60_000 }, async () => {
        const { server } = world();
        const started = Date.now();
        const [header, body] = await Promise.all([
            raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', { limit: 45_000 }),
            raw(server.port, `POST ${sessions} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`, { limit: 45_000 }),
        ]);
        assert.ok(Date.now() - started < 40_000, 'the server closed both');
        for (const answer of [header, body]) assert.ok(answer === '' || status(answer) === 408, answer);
    });

    test('pipelined requests are answered in order', async () => {
        const { server } = world();
        const answer = await raw(server.port, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        assert.deepEqual(answer.match(/HTTP\/1\.1 \d{3}/g), ['HTTP/1.1 200', 'HTTP/1.1 404']);
    });

    test('HEAD is GET without the body', async () => {
        const answer = await raw(world().server.port, 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
        assert.equal(status(answer), 200);
        assert.ok(answer.endsWith('\r\n\r\n'));
        assert.match(answer, /content-length: [1-9]/i);
    });
}, { stores: ['sqlite'] });
