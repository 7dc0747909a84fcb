// Debian's coturn with a secret that it shares with the service.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../e2e/lib/service.mjs';

const answers = (host, port) =>
    new Promise((done) => {
        const socket = createConnection({ host, port }, () => done(true)).on('error', () => done(false));
        socket.on('close', () => socket.destroy());
        socket.on('connect', () => socket.end());
    });

export async function turnServer({ host, port, secret, within = [] }) {
    const folder = mkdtempSync(join(tmpdir(), 'coturn-'));
    const words = [
        ...within, 'turnserver', '-n', '--no-cli', '--no-tls', '--no-dtls', '--fingerprint', '--use-auth-secret',
        `--static-auth-secret=${secret}`, '--realm=video.test', `--listening-ip=${host}`, `--listening-port=${port}`,
        `--relay-ip=${host}`, '--log-file=stdout', '--simple-log', '--verbose', `--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'db')}`,
    ];
    const child = spawn(words[0], words.slice(1), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const gone = new Promise((done) => child.once('close', done));
    const server = { log: '' };
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8');
        stream.on('data', (text) => {
            server.log = (server.log + text).slice(-200_000);
        });
    }
    server.close = async () => {
        child.kill('SIGKILL');
        await gone;
        rmSync(folder, { recursive: true, force: true });
    };
    try {
        await until('coturn to listen', () => answers(host, port));
    } catch (error) {
        await server.close();
        throw new Error(`${error.message}:\n${server.log}`);
    }
    return server;
}
