// Running calls do not suffer from strangers: floods of rubbish, of connectivity checks, of handshakes, of false media, and
// thousands of connections that say nothing. The calls are those of the load tool: real ICE, DTLS, SRTP.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { programPath, Server } from '../lib/server.js';

const kTools = join(dirname(programPath), 'bench');
const kVisits = 5;
const kRate = 100_000;
const kSeconds = 6;
/** In KiB: datagrams of strangers leave nothing behind, a connection its buffers. */
const kMostGrowth = 8 * 1024;
const kMostEach = 16;

const residentKib = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

/** The load tool with some visits in progress. */
class Calls {
    constructor() {
        this.child = spawn(join(kTools, 'media', 'bench_media'), ['load'], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    }

    async line() {
        const { value, done } = await this.lines.next();
        if (done) throw new Error('the load tool has ended');
        return value;
    }

    addRoom(url, tokens) {
        this.child.stdin.write(`room chime ${url} ${tokens.join(' ')}\n`);
    }

    /** Lets all in; `begun` when media flows. Gives what was seen in the seconds after. */
    async measure(rooms, seconds, begun) {
        this.child.stdin.write(`measure ${rooms} ${seconds}\n`);
        const first = await this.line();
        assert.equal(first.trim(), 'begin', first);
        const during = begun();
        const figures = JSON.parse(await this.line());
        return [figures, await during];
    }

    async close() {
        this.child.stdin.end();
        await once(this.child, 'close');
    }
}

function flood(kind, port) {
    const child = spawn(join(kTools, 'bench_flood'), [kind, '127.0.0.1', String(port), String(kRate), String(kSeconds)], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.setEncoding('utf8');
    let text = '';
    child.stdout.on('data', (more) => {
        text += more;
    });
    return once(child, 'close').then(() => JSON.parse(text));
}

/** Connections that begin as `opening` says and then keep silent. */
async function silentConnections(port, many, opening) {
    const sockets = [];
    for (let begun = 0; begun < many; begun += 250) {
        await Promise.all(Array.from({ length: Math.min(250, many - begun) }, () => new Promise((done) => {
            const socket = connect(port, '127.0.0.1', () => {
                if (opening) socket.write(opening);
                done();
            });
            socket.on('error', () => done());
            socket.resume();
            sockets.push(socket);
        })));
    }
    return () => {
        for (const socket of sockets) socket.destroy();
    };
}

const upgrade = [
    'GET /control/00000000-0000-4000-8000-000000000000 HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: _aws_wt_session, a-token-of-nobody', '', '',
].join('\r\n');

describe('running calls under floods', { timeout: 300_000 }, () => {
    let server;
    let calls;

    before(async () => {
        server = await Server.start({ env: { MAX_CONNECTIONS: '14000' } });
        calls = new Calls();
        for (let i = 0; i < kVisits; ++i) {
            const [doctor, patient] = [server.token('DOCTOR', `${100 + i}`), server.token('PATIENT', `${200 + i}`)];
            const ask = async (path, token, body) => {
                const answer = await fetch(`${server.url}/api/video${path}`, {
                    method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
                });
                assert.ok(answer.ok, await answer.clone().text());
                return answer.json();
            };
            const { session_id: id } = await ask('/sessions', doctor, {
                booking_type: 'DIRECT_DOCTOR', doctor_id: `${100 + i}`, patient_id: `${200 + i}`, scheduled_start_time: new Date().toISOString(),
            });
            const joins = [await ask(`/sessions/${id}/join`, patient, {}), await ask(`/sessions/${id}/join`, doctor, {})];
            calls.addRoom(joins[0].media_placement.signaling_url, joins.map((each) => each.attendee.join_token));
        }
        await calls.measure(kVisits, 1, async () => {});
    });

    after(async () => {
        await calls?.close();
        await server?.stop();
    });

    async function undisturbed(t, trouble, connections = 0) {
        const before = residentKib(server.process.pid);
        const [figures, caused] = await calls.measure(kVisits, kSeconds, trouble);
        const growth = residentKib(server.process.pid) - before;
        t.diagnostic(`${JSON.stringify(caused ?? {})}: loss ${(100 * figures.loss).toFixed(3)} %, latency p99 ${figures.latency_p99_ms.toFixed(1)} ms, ${growth} KiB more`);
        assert.ok(figures.received > 0 && figures.loss < 0.01, `loss ${figures.loss}`);
        assert.equal(figures.lost_connections, 0);
        assert.ok(growth < kMostGrowth + connections * kMostEach, `${growth} KiB more`);
    }

    for (const kind of ['rubbish', 'stun', 'dtls', 'srtp']) {
        test(`${kRate} datagrams of ${kind} a second`, async (t) => {
            await undisturbed(t, () => flood(kind, server.mediaPort));
        });
    }

    test('10,000 signalling connections of nobody that say nothing, and 1,000 that do not even ask', async (t) => {
        const ends = [];
        await undisturbed(t, async () => {
            ends.push(await silentConnections(server.port, 10_000, upgrade));
            ends.push(await silentConnections(server.port, 1000, ''));
            return { connections: 11_000 };
        }, 11_000);
        assert.equal((await fetch(`${server.url}/health`)).status, 200);
        for (const end of ends) end();
    });

    test('connections to the media port over TCP that prove nothing', async (t) => {
        const ends = [];
        await undisturbed(t, async () => {
            ends.push(await silentConnections(server.mediaPort, 2000, Buffer.from([0, 100, 0, 1])));
            return { connections: 2000 };
        }, 2000);
        for (const end of ends) end();
    });
});
