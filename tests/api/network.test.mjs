// How the service is reached: HTTPS and WSS with a certificate of its own, behind proxies, on the addresses it is told.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import { makeCertificate, replaceCertificate, writePkcs12 } from '../lib/certificates.js';
import { Server, programPath } from '../lib/server.js';
import { eventually, sessions, soon } from '../lib/world.js';

const folder = mkdtempSync(join(tmpdir(), 'vc-network-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** One request on a connection of its own; `ca` makes it HTTPS. */
function ask({ port, host = '127.0.0.1', ca, method = 'GET', path = '/health', headers = {}, body }) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const all = { ...(text ? { 'Content-Type': 'application/json' } : {}), 'Content-Length': Buffer.byteLength(text), ...headers };
    return new Promise((resolve, reject) => {
        const request = (ca ? https : http).request({ port, host, method, path, ca, headers: all, agent: false }, (answer) => {
            const chunks = [];
            const shown = answer.socket.getPeerCertificate?.().fingerprint256;
            answer.on('data', (chunk) => chunks.push(chunk));
            answer.on('error', reject);
            answer.on('end', () => {
                const whole = Buffer.concat(chunks).toString();
                const isJson = (answer.headers['content-type'] ?? '').startsWith('application/json');
                resolve({ status: answer.statusCode, shown, body: isJson ? JSON.parse(whole) : whole });
            });
        });
        request.on('error', reject);
        request.end(text);
    });
}

const isReady = (ca) => (server) => ask({ port: server.port, ca, path: '/health/ready' }).then((answer) => answer.status === 200, () => false);

/** Books a visit and joins it as the patient. */
async function joined(server, { headers = {}, ...how } = {}) {
    const token = server.token('PATIENT', '34');
    const authorised = { Authorization: `Bearer ${token}` };
    const booking = { booking_type: 'DIRECT_DOCTOR', doctor_id: '12', patient_id: '34', scheduled_start_time: soon };
    const booked = await ask({ port: server.port, ...how, method: 'POST', path: sessions, headers: authorised, body: booking });
    assert.equal(booked.status, 201, JSON.stringify(booked.body));
    const path = `${sessions}/${booked.body.session_id}/join`;
    const answer = await ask({ port: server.port, ...how, method: 'POST', path, headers: { ...authorised, ...headers }, body: {} });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
}

const signalling = (answer) => new URL(answer.media_placement.signaling_url);

/** A signalling connection, by hand: what is open, and what its certificate was, can be looked at. */
class Signalling {
    static async open(answer, ca) {
        const { hostname, port, pathname } = signalling(answer);
        const signals = new Signalling();
        signals.socket = tls.connect({ host: hostname, port: Number(port), ca });
        signals.bytes = Buffer.alloc(0);
        signals.socket.on('data', (chunk) => (signals.bytes = Buffer.concat([signals.bytes, chunk])));
        signals.socket.on('error', () => {});
        const token = answer.attendee.join_token;
        signals.socket.write(
            `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
                `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
                `Sec-WebSocket-Protocol: _aws_wt_session, ${token}\r\n\r\n`,
        );
        await eventually(() => signals.bytes.includes('\r\n\r\n'), 'an answer to the upgrade');
        const head = signals.bytes.toString('latin1');
        assert.match(head, /^HTTP\/1\.1 101 /);
        assert.match(head, /Sec-WebSocket-Protocol: _aws_wt_session\r\n/i);
        return signals;
    }

    get shown() {
        return this.socket.getPeerCertificate().fingerprint256;
    }

    /** A ping with a word of four letters comes back. */
    async answersPing(word) {
        // RFC 6455 section 5.2: final frame, opcode 9, masked with zeros.
        this.socket.write(Buffer.concat([Buffer.from([0x89, 0x84, 0, 0, 0, 0]), Buffer.from(word)]));
        await eventually(() => this.bytes.includes(Buffer.concat([Buffer.from([0x8a, 4]), Buffer.from(word)])), `pong ${word}`);
    }

    close() {
        this.socket.destroy();
    }
}

/** What the program says when it does not start, and its exit code. */
function refusal(env) {
    const { status, stderr } = spawnSync(programPath, [], {
        cwd: folder,
        env: { PATH: process.env.PATH, HOST: '127.0.0.1', JWT_SECRET_KEY: 'a secret', DATA_DIR: join(folder, 'data'), AWS_EC2_METADATA_DISABLED: 'true', ...env },
        encoding: 'utf8',
        timeout: 20_000,
    });
    const lines = stderr.split('\n').filter((line) => line.startsWith('video-consultation: '));
    assert.equal(lines.length, 1, stderr);
    return { status, line: lines[0].slice('video-consultation: '.length) };
}

async function withServer(options, work) {
    const server = await Server.start(options);
    try {
        await work(server);
    } finally {
        await server.stop();
    }
}

const connects = (host, port) =>
    new Promise((resolve) => {
        const socket = net.connect({ host, port });
        socket.once('connect', () => {
            socket.destroy();
            resolve(true);
        });
        socket.once('error', () => resolve(false));
    });

describe('a certificate of its own', () => {
    test('PEM files: the port speaks HTTPS and WSS and nothing else', async () => {
        const pair = makeCertificate(folder, 'pem');
        const env = { TLS_CERT_FILE: pair.certificate, TLS_KEY_FILE: pair.key };
        await withServer({ env, ready: isReady(pair.pem) }, async (server) => {
            assert.equal((await ask({ port: server.port, ca: pair.pem, host: 'localhost' })).status, 200);
            const answer = await joined(server, { ca: pair.pem });
            assert.equal(signalling(answer).origin, `wss://127.0.0.1:${server.port}`);
            const signals = await Signalling.open(answer, pair.pem);
            await signals.answersPing('here');
            signals.close();

            const plain = await ask({ port: server.port });
            assert.equal(plain.status, 400);
            assert.equal(plain.body.detail, 'This port speaks HTTPS: the address begins with https://');
            await assert.rejects(ask({ port: server.port, ca: makeCertificate(folder, 'stranger').pem }), /certificate/);
        });
    });

    test('a changed pair is for new connections; a call that runs keeps its own', async () => {
        const pair = makeCertificate(folder, 'first');
        const next = makeCertificate(folder, 'second');
        const env = { TLS_CERT_FILE: pair.certificate, TLS_KEY_FILE: pair.key };
        const both = pair.pem + next.pem;
        await withServer({ env, ready: isReady(both) }, async (server) => {
            const signals = await Signalling.open(await joined(server, { ca: both }), both);
            await signals.answersPing('one.');
            replaceCertificate(pair, { ...next });
            await eventually(async () => (await ask({ port: server.port, ca: both })).shown === next.fingerprint, 'the new certificate');
            await signals.answersPing('two.');
            assert.equal(signals.shown, pair.fingerprint);

            writeFileSync(pair.certificate, next.pem.slice(0, 200));
            await eventually(() => server.log.includes('the old one goes on'), 'the complaint');
            assert.equal((await ask({ port: server.port, ca: both })).shown, next.fingerprint);
            await signals.answersPing('tri.');
            signals.close();
        });
    });

    test('PKCS#12, with its password in a file', async () => {
        const pair = makeCertificate(folder, 'store');
        const [store, password] = [join(folder, 'store.p12'), join(folder, 'password')];
        writePkcs12(pair, store, 'a good password');
        writeFileSync(password, 'a good password\n');
        await withServer({ env: { TLS_PKCS12_FILE: store, TLS_PKCS12_PASSWORD_FILE: password }, ready: isReady(pair.pem) }, async (server) => {
            assert.equal((await ask({ port: server.port, ca: pair.pem })).shown, pair.fingerprint);
        });
        const wrong = refusal({ TLS_PKCS12_FILE: store, TLS_PKCS12_PASSWORD: 'a bad password' });
        assert.deepEqual(wrong, { status: 2, line: `TLS_PKCS12_PASSWORD: it does not open ${store}` });
    });

    test('what cannot be used stops the start with one line', () => {
        const [one, two] = [makeCertificate(folder, 'one'), makeCertificate(folder, 'two')];
        const cases = [
            [{ TLS_CERT_FILE: one.certificate }, 'TLS_KEY_FILE: expected the private key, as TLS_CERT_FILE is set'],
            [{ TLS_CERT_FILE: '/nowhere', TLS_KEY_FILE: one.key }, 'TLS_CERT_FILE: cannot read /nowhere: No such file or directory'],
            [{ TLS_CERT_FILE: one.key, TLS_KEY_FILE: one.key }, `TLS_CERT_FILE: ${one.key} holds no certificate in PEM form`],
            [{ TLS_CERT_FILE: one.certificate, TLS_KEY_FILE: two.key }, `TLS_KEY_FILE: the key in ${two.key} does not belong to the certificate in ${one.certificate}`],
            [{ TLS_PKCS12_FILE: one.key }, `TLS_PKCS12_FILE: ${one.key} is no PKCS#12 file, or is broken`],
        ];
        for (const [env, line] of cases) assert.deepEqual(refusal(env), { status: 2, line });
    });
});

describe('behind a proxy', () => {
    const told = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'video.example.org', 'X-Forwarded-For': '203.0.113.9' };

    test('the word of a trusted one counts', async () => {
        await withServer({ env: { TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1' } }, async (server) => {
            const at = async (headers) => signalling(await joined(server, { headers })).origin;
            assert.equal(await at(told), 'wss://video.example.org');
            assert.equal(await at({ Forwarded: 'for=203.0.113.9;proto=https;host="video.example.org:444"' }), 'wss://video.example.org:444');
            assert.equal(await at({ 'X-Forwarded-Proto': 'https', Host: 'video.example.org' }), 'wss://video.example.org');
            assert.equal(await at({}), `ws://127.0.0.1:${server.port}`);
        });
    });

    test('nobody else is believed', async () => {
        for (const env of [{}, { TRUSTED_PROXIES: '10.0.0.0/8,::1' }]) {
            await withServer({ env }, async (server) => {
                for (const headers of [told, { Forwarded: 'proto=https;host=video.example.org' }]) {
                    assert.equal(signalling(await joined(server, { headers })).origin, `ws://127.0.0.1:${server.port}`);
                }
            });
        }
    });
});

describe('addresses', () => {
    test('several of both families, and no others', async () => {
        await withServer({ env: { HOST: '127.0.0.1,::1', MEDIA_HOST: '127.0.0.1' } }, async (server) => {
            assert.equal((await ask({ port: server.port, host: '::1' })).status, 200);
            const answer = await joined(server, { host: '::1' });
            assert.equal(signalling(answer).origin, `ws://[::1]:${server.port}`);
            assert.equal(await connects('127.0.0.2', server.port), false);
            assert.equal(await connects('127.0.0.1', server.mediaPort), true);
            assert.equal(await connects('127.0.0.2', server.mediaPort), false);
            assert.equal(await connects('::1', server.mediaPort), false);
        });
    });

    test('media does not follow the API to the loopback address', async () => {
        await withServer({}, async (server) => {
            assert.equal(await connects('127.0.0.2', server.port), false);
            assert.equal(await connects('127.0.0.2', server.mediaPort), true);
            assert.equal(await connects('::1', server.mediaPort), true);
        });
    });

    test('the first of several public hosts is what clients are told', async () => {
        const env = { PUBLIC_HOST: 'https://video.example.org/app,203.0.113.5,2001:db8::5' };
        await withServer({ env }, async (server) => {
            assert.equal(signalling(await joined(server)).href.split('/control/')[0], 'wss://video.example.org/app');
        });
    });

    test('wrong values stop the start with one line', () => {
        for (const [name, value] of Object.entries({ HOST: '192.0.2.256', MEDIA_HOST: 'a b', PUBLIC_HOST: 'h,http://i', TRUSTED_PROXIES: 'proxy' })) {
            const { status, line } = refusal({ [name]: value });
            assert.equal(status, 2);
            assert.ok(line.startsWith(`${name}: expected `), line);
        }
    });
});
