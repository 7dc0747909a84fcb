// A second PostgreSQL that follows the first and confirms every commit before it counts (synchronous replication), until it
// is promoted.
import { execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../lib/free_port.js';

const run = promisify(execFile);
const program = (name) => join(process.env.POSTGRES_BIN ?? '/usr/lib/postgresql/15/bin', name);

export class Replica {
    /** @param {import('../../lib/postgres.js').Postgres} primary */
    constructor(primary) {
        this.primary = primary;
        this.folder = join(primary.folder, 'replica');
    }

    async start() {
        const { primary } = this;
        this.port = await freePort();
        const words = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres'];
        await run(program('pg_basebackup'), [...words, '-D', this.folder, '-R', '-X', 'stream', '--no-sync', '-c', 'fast'], primary.options());
        this.process = spawn(
            program('postgres'),
            ['-D', this.folder, '-p', String(this.port), '-k', primary.folder, '-h', '127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=200', '-c', 'cluster_name=replica',
                '-c', "synchronous_standby_names="],
            { ...primary.options(), stdio: 'ignore' },
        );
        const child = this.process;
        const end = () => child.kill('SIGQUIT');
        process.once('exit', end);
        this.ended = new Promise((resolve) => child.once('exit', () => {
            process.off('exit', end);
            resolve();
        }));
        await this.follows('streaming');
        await primary.query("alter system set synchronous_standby_names = '*'", 'postgres');
        await primary.query('select pg_reload_conf()', 'postgres');
        await this.follows('sync');
    }

    async follows(what) {
        const column = what === 'sync' ? 'sync_state' : 'state';
        for (let tries = 0; tries < 200; ++tries) {
            if ((await this.primary.query(`select ${column} from pg_stat_replication`, 'postgres'))[0] === what) return;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`the replica is not ${what}`);
    }

    async promote() {
        await run(program('pg_ctl'), ['promote', '-D', this.folder, '-w', '-s'], this.primary.options());
    }

    async stop() {
        if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
            this.process.kill('SIGQUIT');
            await this.ended;
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}
