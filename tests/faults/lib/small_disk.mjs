// Small disks: a tmpfs in a mount namespace of its own, so that nothing of it is left when its processes end. What is in
// it is seen from outside under /proc/<pid>/root.
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../lib/free_port.js';
import { Postgres } from '../../lib/postgres.js';

const run = promisify(execFile);
const program = (name) => join(process.env.POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin', name);

/** A command that gives what follows it a small disk at `folder`. */
export const onSmallDisk = (folder, size) => [
    'unshare', '--mount', '--propagation', 'private', 'sh', '-c', `mkdir -p "$0" && mount -t tmpfs -o size=${size},mode=0700 tmpfs "$0" && exec "$@"`, folder,
];

/** Fills the file system to its last byte; gives a way to make room again. */
export function fill(folder) {
    const file = join(folder, 'filler');
    const handle = openSync(file, 'w');
    for (let size = 65_536; size > 0; ) {
        try {
            writeSync(handle, Buffer.alloc(size));
        } catch (error) {
            if (error.code !== 'ENOSPC') throw error;
            size = Math.floor(size / 2);
        }
    }
    closeSync(handle);
    return () => rmSync(file);
}

/** A PostgreSQL whose data is on a small disk. It ends when it cannot write its log, and is started again, as an init system would. */
export class SmallDiskPostgres extends Postgres {
    static async start(size) {
        const postgres = new SmallDiskPostgres();
        postgres.port = await freePort();
        postgres.folder = mkdtempSync(join(tmpdir(), 'vc-postgres-'));
        const [command, ...words] = onSmallDisk(postgres.folder, size);
        postgres.holder = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...words, 'sleep', 'infinity'], { stdio: 'ignore' });
        const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => (await run('id', [flag, 'postgres'])).stdout.trim()));
        postgres.inside = (...line) => ['nsenter', ['--mount', '--target', String(postgres.holder.pid), 'setpriv', '--pdeathsig', 'KILL', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', ...line]];
        const disk = postgres.visible;
        for (let tries = 0; ; ++tries) {
            const { stdout } = await run('nsenter', ['--mount', '--target', String(postgres.holder.pid), 'stat', '-f', '-c', '%T', postgres.folder]).catch(() => ({ stdout: '' }));
            if (stdout.trim() === 'tmpfs' && (await run('chown', [`${uid}:${gid}`, disk]).then(() => true, () => false))) break;
            if (tries > 200) throw new Error('no small disk');
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await run(...postgres.inside(program('initdb'), '-D', join(postgres.folder, 'data'), '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale', 'C', '--wal-segsize=1'), { cwd: '/' });
        await postgres.boot();
        return postgres;
    }

    /** The disk, seen from here. */
    get visible() {
        return `/proc/${this.holder.pid}/root${this.folder}`;
    }

    options() {
        return { cwd: '/' };
    }

    async boot() {
        const [command, words] = this.inside(
            program('postgres'), '-D', join(this.folder, 'data'), '-p', String(this.port), '-k', '', '-h', '127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=200', '-c', 'max_wal_size=8MB', '-c', 'shared_buffers=16MB',
        );
        this.process = spawn(command, words, { cwd: '/', stdio: 'ignore' });
        const child = this.process;
        this.ended = new Promise((resolve) => child.once('exit', resolve));
        for (let tries = 0; tries < 100 && child.exitCode === null; ++tries) {
            if (await this.query('select 1', 'postgres').then(() => true, () => false)) return;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        if (!this.kept) throw new Error('PostgreSQL does not start');
    }

    /** From now on it is started again whenever it ends, until `stop`. */
    keepUp() {
        this.kept = (async () => {
            for (;;) {
                await this.ended;
                if (this.stopping) return;
                this.ends = (this.ends ?? 0) + 1;
                await new Promise((resolve) => setTimeout(resolve, 200));
                await this.boot();
            }
        })();
    }

    async stop() {
        this.stopping = true;
        if (this.process?.exitCode === null) this.process.kill('SIGQUIT');
        await this.ended;
        await this.kept;
        this.holder.kill('SIGKILL');
        rmSync(this.folder, { recursive: true, force: true });
    }
}
