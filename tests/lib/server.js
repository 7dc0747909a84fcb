// The program under test, in a working folder of its own and on ports of its own.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free_port.js';
import { mint } from './tokens.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const programPath = process.env.VIDEO_CONSULTATION ?? join(root, 'build', 'release', 'video-consultation');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Server {
    /**
     * @param {{ env?: Record<string, string> | ((server: Server) => Record<string, string>), databaseUrl?: string, host?: string, within?: string[],
     *     ready?: (server: Server) => Promise<boolean> }} options SQLite in the working folder when there is no database
     *     URL; `within`: a command that runs the program elsewhere, as `nsenter` does; `ready`: asks whether it is ready,
     *     where that is not done by plain HTTP.
     * @returns {Promise<Server>} when it is ready.
     */
    static async start({ env = {}, databaseUrl, host = '127.0.0.1', within = [], ready } = {}) {
        if (!existsSync(programPath)) throw new Error(`${programPath} is missing: ./run --prepare builds it`);
        const server = new Server();
        server.folder = mkdtempSync(join(tmpdir(), 'vc-server-'));
        server.port = await freePort();
        server.mediaPort = await freePort();
        server.secret = 'a secret for tests only, long enough for HS256';
        server.url = `http://${host}:${server.port}`;
        server.command = [...within, programPath];
        server.ready = ready ?? (() => fetch(`${server.url}/health/ready`).then((answer) => answer.ok, () => false));
        server.env = {
            PATH: process.env.PATH,
            HOST: host,
            PORT: String(server.port),
            MEDIA_PORT: String(server.mediaPort),
            JWT_SECRET_KEY: server.secret,
            // Whoever wants AWS says so; nothing is asked of the machine that the tests happen to run on.
            AWS_EC2_METADATA_DISABLED: 'true',
            // Where all who are called in these tests are.
            OUTGOING_ALLOW: '127.0.0.0/8',
            // One person asks for many here. Whoever tests the limits sets them.
            RATE_LIMIT: 'off',
            ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
            ...(typeof env === 'function' ? env(server) : env),
        };
        try {
            await server.boot();
        } catch (error) {
            await server.stop();
            throw error;
        }
        return server;
    }

    /** Starts the program on the folder that is there: after start(), stop and kill. */
    async boot() {
        this.log = '';
        const [program, ...words] = this.command;
        this.process = spawn(program, words, { cwd: this.folder, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
        // A test that crashes must not leave it running.
        const child = this.process;
        const end = () => child.kill('SIGKILL');
        process.once('exit', end);
        this.ended = new Promise((resolve) =>
            child.once('close', (code, signal) => {
                process.off('exit', end);
                resolve({ code, signal });
            }),
        );
        for (const stream of [this.process.stdout, this.process.stderr]) {
            stream.setEncoding('utf8');
            stream.on('data', (text) => {
                this.log = (this.log + text).slice(-1_000_000);
            });
        }
        const deadline = Date.now() + 20_000;
        for (;;) {
            if (this.process.exitCode !== null) throw new Error(`the service ended at once:\n${this.log}`);
            if (await this.ready(this)) return;
            if (Date.now() > deadline) throw new Error(`the service was not ready in time:\n${this.log}`);
            await pause(20);
        }
    }

    token(role, userId, seconds) {
        return mint(role, userId, this.secret, seconds);
    }

    /** Asks it to stop, as an orchestrator does. */
    async terminate() {
        if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
        return await this.ended;
    }

    /** What a power cut does to a process. */
    async kill() {
        this.process.kill('SIGKILL');
        await this.ended;
    }

    /** Ends it and removes its folder. */
    async stop() {
        const end = await this.terminate();
        rmSync(this.folder, { recursive: true, force: true });
        return end;
    }
}
