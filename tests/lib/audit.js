// The audit trail from outside: rows as they lie in the database, the commands that check them, and hands that change
// them behind the service's back.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programPath } from './server.js';
import { eventually } from './world.js';

const run = promisify(execFile);
const sqlite = process.env.SQLITE3 ?? '/usr/bin/sqlite3';
const table = 'video_consultation_events';

export class Audit {
    constructor(world) {
        this.world = world;
    }

    /** Lines of the answer, columns with `|` between. */
    async sql(text) {
        const { world } = this;
        if (world.postgres) return await world.postgres.query(text, world.database);
        if (!existsSync(sqlite)) throw new Error(`no ${sqlite}; install sqlite3`);
        const file = join(world.server.folder, 'data', 'sessions.sqlite');
        const { stdout } = await run(sqlite, ['-batch', '-noheader', '-cmd', '.timeout 10000', file, text], { maxBuffer: 64 << 20 });
        return stdout.split('\n').filter((line) => line !== '');
    }

    /** The rows that a request left, as `TYPE|session|user|role|address|kind`. */
    async rowsOf(requestId) {
        return await this.sql(
            `select event_type || '|' || coalesce(session_id, '-') || '|' || coalesce(user_id, '-') || '|' || coalesce(role, '-')
             || '|' || coalesce(address, '-') || '|' || kind from ${table} where request_id = '${requestId}' order by sequence`,
        );
    }

    /** Once every row has its place. */
    async settled() {
        await eventually(async () => (await this.sql(`select count(*) from ${table} where position is null`))[0] === '0', 'every row is chained');
    }

    async command(...words) {
        const { server } = this.world;
        try {
            const { stdout, stderr } = await run(programPath, ['audit', ...words], { cwd: server.folder, env: server.env, maxBuffer: 16 << 20 });
            return { code: 0, text: stdout, stderr };
        } catch (error) {
            return { code: error.code, text: error.stdout, stderr: error.stderr };
        }
    }
    verify(...words) {
        return this.command('verify', ...words);
    }

    async newest() {
        return Number((await this.sql('select position from video_consultation_audit_head'))[0]);
    }
}
