// The HTTP server against those who break it: malformed and ambiguous requests, a hundred thousand connections one after
// the other (ATTACK_CONNECTIONS), and two thousand clients that take for ever, beside which everybody else is served as
// quickly as without them.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import { percentile } from '../lib/load.js';
import { World } from '../lib/world.js';

const kConnections = Number(process.env.ATTACK_CONNECTIONS ?? 100_000);
const kSlow = 2000;
const kMostP99 = 50;

/** Everything that comes back until the server closes, or keeps still for `quiet` ms. */
function exchange(port, bytes, quiet = 1500) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
        let text = '';
        const done = () => {
            socket.destroy();
            resolve({ text, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])) });
        };
        socket.setEncoding('latin1');
        socket.setTimeout(quiet, done);
        socket.on('data', (more) => {
            text += more;
        });
        socket.on('error', done);
        socket.on('close', done);
    });
}

describe('broken and ambiguous HTTP', () => {
    let world;
    let port;
    let token;
    before(async () => {
        world = await World.open();
        port = world.server.port;
        token = world.admin;
    });
    after(() => world.close());

    const head = (line, ...fields) => [line, 'Host: localhost', ...fields, '', ''].join('\r\n');
    const live = 'GET /health/live HTTP/1.1';

    /** One request that must be refused, and nothing behind it may be taken for another. */
    const refused = [
        ['two lengths', head('POST /health/live HTTP/1.1', 'Content-Length: 5', 'Content-Length: 6') + 'abcdef'],
        ['a length beside chunks', head('POST /health/live HTTP/1.1', 'Content-Length: 4', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
        ['chunks beside a length', head('POST /health/live HTTP/1.1', 'Transfer-Encoding: chunked', 'Content-Length: 4') + '0\r\n\r\n'],
        ['a coding that is not chunked', head('POST /health/live HTTP/1.1', 'Transfer-Encoding: gzip') + 'abc'],
        ['a coding that only looks like chunked', head('POST /health/live HTTP/1.1', 'Transfer-Encoding: xchunked') + '0\r\n\r\n'],
        ['chunked twice', head('POST /health/live HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
        ['chunks behind another coding', head('POST /health/live HTTP/1.1', 'Transfer-Encoding: chunked, identity') + '0\r\n\r\n'],
        ['a negative length', head('POST /health/live HTTP/1.1', 'Content-Length: -1')],
        ['a length with a sign', head('POST /health/live HTTP/1.1', 'Content-Length: +3') + 'abc'],
        ['a length in other digits', head('POST /health/live HTTP/1.1', 'Content-Length: 0x3') + 'abc'],
        ['a length beyond all numbers', head('POST /health/live HTTP/1.1', 'Content-Length: 99999999999999999999999')],
        ['a field name with a space before its colon', head(live, 'X-Name : value')],
        ['a line end of its own making', head(live, 'X-Name: a\rX-Other: b')],
        ['a zero byte in a field', head(live, 'X-Name: a\0b')],
        ['a field without a name', head(live, ': value')],
        ['no version', 'GET /health/live\r\nHost: localhost\r\n\r\n'],
        ['a version that is none', head('GET /health/live HTTP/3.7')],
        ['a target with a space', head('GET /health /live HTTP/1.1')],
        ['no method', head(' /health/live HTTP/1.1')],
        ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
        ['the second HTTP', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
        ['a chunk size of letters', head('POST /api/video/sessions HTTP/1.1', `Authorization: Bearer TOKEN`, 'Content-Type: application/json', 'Transfer-Encoding: chunked') + 'zz\r\n{}\r\n0\r\n\r\n'],
        ['a negative chunk', head('POST /api/video/sessions HTTP/1.1', `Authorization: Bearer TOKEN`, 'Transfer-Encoding: chunked') + '-2\r\n{}\r\n0\r\n\r\n'],
        ['a chunk beyond all numbers', head('POST /api/video/sessions HTTP/1.1', `Authorization: Bearer TOKEN`, 'Transfer-Encoding: chunked') + 'ffffffffffffffffff\r\n{}\r\n0\r\n\r\n'],
        ['a chunk longer than it says', head('POST /api/video/sessions HTTP/1.1', `Authorization: Bearer TOKEN`, 'Transfer-Encoding: chunked') + '1\r\n{}\r\n0\r\n\r\n'],
    ];
    for (const [what, request] of refused) {
        test(`${what}: refused, and what follows is not taken for a request`, async () => {
            const bytes = Buffer.concat([Buffer.from(typeof request === 'string' ? request.replace('TOKEN', token) : request), Buffer.from(head('GET /smuggled HTTP/1.1'))]);
            const { statuses, text } = await exchange(port, bytes);
            assert.ok(statuses.length <= 1 && statuses.every((status) => (status >= 400 && status < 500) || status === 501), text.slice(0, 500));
            assert.ok(!text.includes('smuggled'));
        });
    }

    test('whatever is cut off anywhere, or has a byte changed, leaves the service as it was', { timeout: 120_000 }, async () => {
        const whole = Buffer.from(head('POST /api/video/sessions HTTP/1.1', `Authorization: Bearer ${token}`, 'Content-Type: application/json', 'Transfer-Encoding: chunked') + '2\r\n{}\r\n0\r\n\r\n');
        const variants = [];
        for (let at = 1; at < whole.length; at += 7) variants.push(whole.subarray(0, at));
        for (let at = 0; at < whole.length; at += 3) {
            const changed = Buffer.from(whole);
            changed[at] ^= 1 << (at % 8);
            variants.push(changed);
        }
        for (let begin = 0; begin < variants.length; begin += 40) {
            const answers = await Promise.all(variants.slice(begin, begin + 40).map((bytes) => exchange(port, bytes, 400)));
            for (const { statuses, text } of answers) assert.ok(statuses.every((status) => status < 500 || status === 501), text.slice(0, 300));
        }
        assert.equal((await fetch(`${world.server.url}/health/ready`)).status, 200);
    });

    test('a thousand pipelined requests are answered in their order', async () => {
        const paths = Array.from({ length: 1000 }, (_, number) => (number % 3 === 0 ? '/health/live' : `/nowhere-${number}`));
        const { statuses } = await exchange(port, paths.map((path) => head(`GET ${path} HTTP/1.1`)).join(''), 3000);
        assert.deepEqual(statuses, paths.map((path) => (path === '/health/live' ? 200 : 404)));
    });
});

test(`${kConnections} connections, one after the other on 16 lines: every one is served, none stays`, { timeout: 600_000 }, async (t) => {
    const world = await World.open();
    try {
        const { port } = world.server;
        const request = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
        let left = kConnections;
        const begun = performance.now();
        const line = async () => {
            while (left-- > 0) {
                await new Promise((resolve, reject) => {
                    let text = '';
                    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
                    socket.setEncoding('latin1');
                    socket.on('data', (more) => {
                        text += more;
                    });
                    socket.on('error', reject);
                    socket.on('close', () => (text.startsWith('HTTP/1.1 200') ? resolve() : reject(new Error(text))));
                    socket.on('end', () => socket.resetAndDestroy());
                });
            }
        };
        await Promise.all(Array.from({ length: 16 }, line));
        t.diagnostic(`${Math.round(kConnections / ((performance.now() - begun) / 1000))} connections a second`);
        assert.equal((await world.client.get('/health/ready')).status, 200);
    } finally {
        await world.close();
    }
});

test(`${kSlow} clients that send a byte now and then: others' p99 stays under ${kMostP99} ms`, { timeout: 120_000 }, async (t) => {
    const world = await World.open();
    const slow = [];
    try {
        const { port } = world.server;
        const visit = await world.visit();
        const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
        const ask = () => new Promise((resolve, reject) => {
            const begun = performance.now();
            http.get({ agent, host: '127.0.0.1', port, path: visit.path, headers: { Authorization: `Bearer ${visit.doctor}` } }, (answer) => {
                answer.resume();
                answer.on('end', () => (answer.statusCode === 200 ? resolve(performance.now() - begun) : reject(new Error(String(answer.statusCode)))));
            }).on('error', reject);
        });
        const measure = async (count) => {
            const times = [];
            await Promise.all(Array.from({ length: 4 }, async () => {
                while (times.length < count) times.push(await ask());
            }));
            return percentile(times.sort((a, b) => a - b), 0.99);
        };
        await measure(200);
        const alone = await measure(2000);
        for (let made = 0; made < kSlow; made += 100) {
            await Promise.all(Array.from({ length: 100 }, () => new Promise((resolve) => {
                const socket = net.connect(port, '127.0.0.1', () => {
                    socket.write('POST /api/video/sessions HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
                    resolve();
                });
                socket.on('error', resolve);
                socket.resume();
                slow.push(socket);
            })));
        }
        const drip = setInterval(() => {
            for (const socket of slow) if (socket.writable) socket.write('x');
        }, 1000);
        const beside = await measure(4000);
        clearInterval(drip);
        agent.destroy();
        t.diagnostic(`p99 ${alone.toFixed(1)} ms without them, ${beside.toFixed(1)} ms beside them`);
        assert.ok(beside < kMostP99, `p99 ${beside} ms`);
    } finally {
        for (const socket of slow) socket.destroy();
        await world.close();
    }
});
