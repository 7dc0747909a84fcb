// What lies in the database and in the log of a service, and what becomes of it when keys change.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Chime } from '../lib/chime.js';
import { Server, programPath } from '../lib/server.js';
import { sql } from '../lib/time_travel.js';
import { World, eachStore, eventually } from '../lib/world.js';

const run = promisify(execFile);
const key = (name) => `${name}:${randomBytes(32).toString('base64')}`;

/** Every byte that the service has stored. */
async function stored(world) {
    if (world.postgres) return await world.postgres.dump(world.database);
    const data = join(world.server.folder, 'data');
    return readdirSync(data)
        .filter((name) => name.includes('sqlite'))
        .map((name) => readFileSync(join(data, name)).toString('latin1'))
        .join('\n');
}

/** A command of the program on the same store, beside the service. */
async function command(world, words, env = {}) {
    const options = { cwd: world.server.folder, env: { ...world.server.env, ...env } };
    return await run(programPath, words, options).then(
        ({ stdout }) => ({ code: 0, text: stdout }),
        ({ code, stdout, stderr }) => ({ code, text: stdout + stderr }),
    );
}

const marks = { complaint: 'marked-complaint-4711', notes: 'marked-notes-4712', reason: 'marked-reason-4713', issue: 'marked-issue-4714', browser: 'marked-browser-4715' };

/** A visit that leaves every text somewhere, and the tokens that were given out. */
async function speak(world) {
    const { client } = world;
    const visit = await world.visit({ chief_complaint: marks.complaint });
    const tokens = [];
    for (const token of [visit.patient, visit.doctor]) {
        const joined = await visit.join(token, { browser_info: marks.browser });
        assert.equal(joined.status, 200, joined.text);
        tokens.push(joined.body.attendee.join_token);
    }
    assert.equal((await client.post(`${visit.path}/quality`, visit.patient, { audio_quality_score: 2, issue_description: marks.issue })).status < 300, true);
    await visit.end(visit.doctor, { session_notes: marks.notes });
    const other = await world.visit({ chief_complaint: marks.complaint }, visit);
    await other.cancel(visit.patient, marks.reason);
    return { visit, other, tokens };
}

function nothingOf(text, tokens, where) {
    for (const mark of [...Object.values(marks), ...tokens]) assert.ok(!text.includes(mark), `${mark.slice(0, 12)}… lies ${where}`);
}

eachStore('at rest', (world) => {
    test('neither texts nor join tokens lie in the database or in the log', async () => {
        const { visit, other, tokens } = await speak(world());
        nothingOf(await stored(world()), tokens, 'in the database');
        nothingOf(world().server.log, tokens, 'in the log');
        assert.deepEqual([(await visit.get()).body.session_notes, (await visit.get()).body.chief_complaint], [marks.notes, marks.complaint]);
        assert.equal((await other.get()).body.cancellation_reason, marks.reason);
    });

    test('a damaged text is a 500 whose log line names the place alone', async () => {
        const visit = await world().visit({ chief_complaint: 'something private' });
        const text = await sql(world(), `select chief_complaint from video_consultation_sessions where session_id = '${visit.id}'`);
        assert.match(text[0], /^enc1:\d+:/);
        await sql(world(), `update video_consultation_sessions set chief_complaint = '${text[0].slice(0, -4)}AAAA' where session_id = '${visit.id}'`);
        assert.equal((await visit.get()).status, 500);
        assert.match(world().server.log, new RegExp(`video_consultation_sessions.chief_complaint of ${visit.id}`));
        assert.ok(!world().server.log.includes('something private') && !world().server.log.includes(text[0].slice(0, -4)));
        await sql(world(), `update video_consultation_sessions set chief_complaint = '${text[0]}' where session_id = '${visit.id}'`);
        assert.equal((await visit.get()).body.chief_complaint, 'something private');
    });

    test('a new data key is taken up while the service runs, and older texts are taken over', async () => {
        const { client } = world();
        const visit = await world().visit({ chief_complaint: 'before the new key' });
        const rotated = await command(world(), ['keys', 'rotate']);
        assert.deepEqual([rotated.code, /^data key \d+ is in use/.test(rotated.text)], [0, true], rotated.text);
        const number = Number(rotated.text.match(/data key (\d+)/)[1]);
        const marked = async (id) => (await sql(world(), `select chief_complaint from video_consultation_sessions where session_id = '${id}'`))[0];
        await eventually(async () => (await marked((await world().visit({ chief_complaint: 'after' })).id)).startsWith(`enc1:${number}:`), 'new texts are sealed under the new key', 30_000);
        assert.equal((await visit.get()).body.chief_complaint, 'before the new key');
        const resealed = await command(world(), ['keys', 'reseal']);
        assert.equal(resealed.code, 0, resealed.text);
        assert.ok((await marked(visit.id)).startsWith(`enc1:${number}:`));
        assert.equal((await visit.get()).body.chief_complaint, 'before the new key');
        assert.match((await command(world(), ['keys', 'reseal'])).text, /^0 texts/);
        assert.match((await command(world(), ['keys', 'list'])).text, new RegExp(`data key ${number}, .* in use`));
        assert.equal((await client.get(visit.path + '/events', visit.doctor)).status, 200);
    });

    test('a key of its own takes over from the one made from the secret; without it there is no start', async () => {
        const visit = await world().visit({ chief_complaint: 'kept through all keys' });
        const { server } = world();
        const [first, second] = [key('first'), key('second')];
        const restart = async (keys) => {
            await server.terminate();
            if (keys) server.env.ENCRYPTION_KEY = keys;
            else delete server.env.ENCRYPTION_KEY;
            await server.boot();
            world().client.agent.destroy();
            assert.equal((await visit.get()).body.chief_complaint, 'kept through all keys');
        };
        for (const keys of [first, `${second},${first}`, second]) await restart(keys);
        await server.terminate();
        for (const [keys, what] of [[first, "master key 'second'"], [`second:${randomBytes(32).toString('base64')}`, "master key 'second' does not open data key 1"], ['second:short', 'ENCRYPTION_KEY']]) {
            const refused = await command(world(), ['serve'], { ENCRYPTION_KEY: keys });
            assert.equal(refused.code, 2, refused.text);
            assert.ok(refused.text.includes(what), refused.text);
            assert.ok(!refused.text.includes(keys.split(':')[1]), 'the key is not told');
        }
        await server.boot();
    });
});

describe('at rest, with meetings of Chime', () => {
    let chime;
    let world;
    before(async () => {
        chime = await Chime.start();
        world = await World.open({ env: chime.environment });
    });
    after(async () => {
        await world?.close();
        await chime?.stop();
    });

    test('tokens that AWS gave are nowhere', async () => {
        const { tokens, visit } = await speak(world);
        assert.equal((await visit.get()).body.meeting_provider, 'chime');
        assert.equal(tokens.length, 2);
        nothingOf(await stored(world), tokens, 'in the database');
        nothingOf(world.server.log, tokens, 'in the log');
    });
});

describe('two processes on one PostgreSQL change the master key', () => {
    let world;
    let other;
    before(async () => {
        world = await World.open({ store: 'postgres', env: { ENCRYPTION_KEY: key('old') } });
        other = await Server.start({ databaseUrl: world.postgres.url(world.database), env: { ENCRYPTION_KEY: world.server.env.ENCRYPTION_KEY } });
    });
    after(async () => {
        await other?.stop();
        await world?.close();
    });

    test('one after the other, under load, and no text is ever unreadable', async () => {
        const { server } = world;
        const old = server.env.ENCRYPTION_KEY;
        const fresh = key('new');
        const visit = await world.visit({ chief_complaint: 'read all the time' });
        let going = true;
        const counts = { reads: 0, writes: 0 };
        const wrong = [];
        /** Whoever restarts may refuse or cut off; everybody else must answer. */
        const down = new Set();
        const load = async (process) => {
            for (let n = 0; going; ++n) {
                if (down.has(process)) {
                    await new Promise((resolve) => setTimeout(resolve, 20));
                    continue;
                }
                const headers = { Authorization: `Bearer ${visit.doctor}`, 'Content-Type': 'application/json' };
                const note = (what) => down.has(process) || wrong.push(what);
                try {
                    const read = await fetch(process.url + visit.path, { headers });
                    const body = await read.json();
                    if (read.status !== 200 || body.chief_complaint !== 'read all the time') note([read.status, body]);
                    else ++counts.reads;
                    const write = await fetch(`${process.url}${visit.path}/notes`, { method: 'PUT', headers, body: JSON.stringify({ session_notes: `${n} of ${process.port}` }) });
                    await write.text();
                    if (write.status === 200) ++counts.writes;
                    else note([write.status]);
                } catch (error) {
                    note([String(error)]);
                }
            }
        };
        const running = [load(server), load(other)];
        for (const keys of [`${old},${fresh}`, `${fresh},${old}`, fresh]) {
            for (const process of [server, other]) {
                down.add(process);
                await process.terminate();
                process.env.ENCRYPTION_KEY = keys;
                await process.boot();
                down.delete(process);
                const before = counts.reads;
                await eventually(() => counts.reads > before + 20, 'the load goes on', 30_000);
            }
        }
        going = false;
        await Promise.all(running);
        assert.deepEqual(wrong, []);
        assert.ok(counts.writes > 50, JSON.stringify(counts));
        assert.deepEqual(await sql(world, "select distinct master_id from video_consultation_data_keys"), ['new']);
    });
});
