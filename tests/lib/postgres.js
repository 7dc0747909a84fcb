// A PostgreSQL of our own: Debian's binaries, a temporary folder, a private port. Started once for each test file that
// needs one; every server under test gets its own database in it.
import { execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free_port.js';

const run = promisify(execFile);
const binaries = process.env.POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin';
const program = (name) => join(binaries, name);

/** PostgreSQL refuses to run as root. */
async function owner() {
    if (process.getuid() !== 0) return {};
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)));
    return { uid, gid };
}

export class Postgres {
    /** @returns {Promise<Postgres>} */
    static async start() {
        if (!existsSync(program('initdb'))) throw new Error(`no PostgreSQL 15 in ${binaries}; install postgresql-15`);
        const postgres = new Postgres();
        postgres.port = await freePort();
        postgres.identity = await owner();
        postgres.folder = mkdtempSync(join(tmpdir(), 'vc-postgres-'));
        if (postgres.identity.uid !== undefined) chownSync(postgres.folder, postgres.identity.uid, postgres.identity.gid);
        const data = join(postgres.folder, 'data');
        await run(program('initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale', 'C'], postgres.options());
        await postgres.boot();
        return postgres;
    }

    options() {
        return { ...this.identity, cwd: this.folder };
    }

    /** Starts the server on the data that is there: after start() and after down(). */
    async boot() {
        this.process = spawn(
            program('postgres'),
            ['-D', join(this.folder, 'data'), '-p', String(this.port), '-k', this.folder, '-h', '127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=200'],
            { ...this.options(), stdio: 'ignore' },
        );
        // A test that crashes must not leave it running.
        const child = this.process;
        const end = () => child.kill('SIGQUIT');
        process.once('exit', end);
        this.ended = new Promise((resolve) =>
            child.once('exit', () => {
                process.off('exit', end);
                resolve();
            }),
        );
        for (let tries = 0; ; ++tries) {
            try {
                await this.query('select 1', 'postgres');
                return;
            } catch (error) {
                if (tries > 200) throw error;
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
        }
    }

    /** One value a row, as text. */
    async query(sql, database) {
        const { stdout } = await run(
            program('psql'),
            ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres', '-d', database, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql],
            { ...this.options(), maxBuffer: 64 << 20 },
        );
        return stdout.split('\n').filter((line) => line !== '');
    }

    async dump(database) {
        const { stdout } = await run(
            program('pg_dump'),
            ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres', '--data-only', database],
            { ...this.options(), maxBuffer: 64 << 20 },
        );
        return stdout;
    }

    /** A fresh, empty database; its name. */
    async createDatabase() {
        const name = `video_${Math.random().toString(36).slice(2, 10)}`;
        await this.query(`create database ${name}`, 'postgres');
        return name;
    }

    url(database) {
        return `postgresql+asyncpg://postgres@127.0.0.1:${this.port}/${database}`;
    }

    /** Stops it the hard way; the data stays. */
    async down() {
        this.process.kill('SIGQUIT');
        await this.ended;
    }

    async stop() {
        if (this.process.exitCode === null && this.process.signalCode === null) await this.down();
        rmSync(this.folder, { recursive: true, force: true });
    }
}
