// Makes what has happened in a session happen earlier: in the database, because nobody wants to wait for half an hour.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const columns = {
    video_consultation_sessions: ['actual_start_time', 'doctor_joined_at', 'patient_joined_at', 'doctor_left_at', 'patient_left_at'],
    video_consultation_attendees: ['joined_at', 'left_at', 'opened_at', 'last_seen_at'],
    video_consultation_attendance: ['joined_at', 'left_at'],
};

/** The SQLite file of a service; its name is the service's own business. */
function databaseFile(folder) {
    const data = join(folder, 'data');
    const file = existsSync(data) && readdirSync(data).find((name) => /\.(db|sqlite3?)$/.test(name));
    if (!file) throw new Error(`no database in ${data}`);
    return join(data, file);
}

const script = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=20)
for row in database.execute(sys.argv[2]): print(row[0])
database.commit()
`;

/** Runs one statement on the store of a running service; the first column of what it gives, as text. */
export async function sql(world, statement) {
    if (world.postgres) return await world.postgres.query(statement, world.database);
    const { stdout } = await run(process.env.DEBIAN_PYTHON ?? '/usr/bin/python3', ['-c', script, databaseFile(world.server.folder), statement]);
    return stdout.split('\n').filter((line) => line !== '');
}

/** Moves everything that people did in the session so many minutes into the past. */
export async function age(world, sessionId, minutes) {
    for (const [table, names] of Object.entries(columns)) {
        const moved = names.map((name) => `${name} = ${name} - ${world.postgres ? `interval '${minutes} minutes'` : minutes * 60_000_000}`);
        await sql(world, `update ${table} set ${moved.join(', ')} where session_id = '${sessionId}'`);
    }
}

/** The month that something counts in which began so many minutes ago: `2026-11`. */
export const monthBefore = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString().slice(0, 7);
