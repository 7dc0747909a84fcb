// The service runs out of something: disk, descriptors; or its clock jumps. It says so, harms nothing, and goes on
// by itself as soon as it can.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Postgres } from '../lib/postgres.js';
import { Server } from '../lib/server.js';
import { eventually } from '../lib/world.js';
import { Ledger } from './lib/ledger.mjs';
import { fill, onSmallDisk, SmallDiskPostgres } from './lib/small_disk.mjs';

const fakeTime = () => execFileSync('dpkg', ['-L', 'libfaketime'], { encoding: 'utf8' }).split('\n').find((file) => file.endsWith('libfaketimeMT.so.1'));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function fullDisk(t, server, folder) {
    const ledger = new Ledger(() => server).start();
    await ledger.more(100);
    const clear = fill(folder);
    const refused = (await eventually(async () => {
        const answer = await ledger.send('POST', '/api/video/sessions', 'doctor', { booking_type: 'DIRECT_DOCTOR', doctor_id: ledger.doctor, patient_id: ledger.patient, scheduled_start_time: '2031-05-05T10:00:00Z', chief_complaint: `beside ${Math.random()}` }, {});
        return answer?.status !== 201 && answer;
    }, 'a booking is refused', 30_000));
    assert.equal(refused.status, 503, JSON.stringify(refused.body));
    assert.ok(!/disk|sql|tmp/i.test(JSON.stringify(refused.body)), 'nothing of our inside is told');
    const [alive] = await Promise.all([fetch(`${server.url}/health/live`), pause(2000)]);
    assert.equal(alive.status, 200);
    assert.equal(server.process.exitCode, null);
    clear();
    const cleared = Date.now();
    await ledger.more(100);
    await ledger.stop();
    t.diagnostic(`${await ledger.verify()}; the first answer ${ledger.recovered(cleared)} ms after there was room again`);
}

test('a full disk under SQLite: who writes gets 503, and all goes on when there is room', async (t) => {
    const server = await Server.start({ within: onSmallDisk('data', '24m') });
    try {
        await fullDisk(t, server, `/proc/${server.process.pid}/root${server.folder}/data`);
    } finally {
        await server.stop();
    }
});

test('a full disk under PostgreSQL, which may end from it', async (t) => {
    const postgres = await SmallDiskPostgres.start('160m');
    let server;
    try {
        server = await Server.start({ databaseUrl: postgres.url(await postgres.createDatabase()) });
        postgres.keepUp();
        await fullDisk(t, server, postgres.visible);
        t.diagnostic(`PostgreSQL ended ${postgres.ends ?? 0} times`);
    } finally {
        await server?.stop();
        await postgres.stop();
    }
});

test('no descriptors left: who has a connection keeps it, others come in again when some are free', async (t) => {
    const server = await Server.start({ within: ['prlimit', '--nofile=160:160'] });
    try {
        const ledger = new Ledger(() => server, { clients: 8 }).start();
        await ledger.more(100);
        const crowd = await Promise.all(Array.from({ length: 400 }, () => new Promise((resolve) => {
            const socket = net.connect(server.port, '127.0.0.1');
            socket.on('error', () => {});
            socket.once('connect', () => resolve(socket));
            socket.once('close', () => resolve(socket));
        })));
        await eventually(() => readdirSync(`/proc/${server.process.pid}/fd`).length >= 150, () => `${readdirSync(`/proc/${server.process.pid}/fd`).length} descriptors are open`);
        await ledger.more(50);
        for (const socket of crowd) socket.destroy();
        const gone = Date.now();
        await eventually(() => fetch(`${server.url}/health/ready`).then((answer) => answer.ok, () => false), 'newcomers are let in', 15_000);
        const back = Date.now() - gone;
        await ledger.more(100);
        await ledger.stop();
        t.diagnostic(`${await ledger.verify()}; newcomers were let in ${back} ms after the crowd had gone`);
    } finally {
        await server.stop();
    }
});

for (const store of ['sqlite', 'postgres']) {
    test(`the clock jumps an hour ahead, and back by two (${store})`, async (t) => {
        const postgres = store === 'postgres' ? await Postgres.start() : undefined;
        let server;
        try {
            server = await Server.start({
                databaseUrl: postgres?.url(await postgres.createDatabase()),
                env: (self) => ({ LD_PRELOAD: fakeTime(), FAKETIME_TIMESTAMP_FILE: join(self.folder, 'clock'), FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' }),
            });
            const set = (offset) => writeFileSync(join(server.folder, 'clock'), `${offset}\n`);
            const ledger = new Ledger(() => server).start();
            ledger.times.length = 0;
            await ledger.more(100);
            for (const offset of ['+3600s', '-3600s', '+0s']) {
                set(offset);
                await eventually(async () => {
                    const date = Date.parse((await fetch(`${server.url}/health`).then((answer) => answer.json())).timestamp) - Date.now();
                    return Math.abs(date - Number.parseInt(offset, 10) * 1000) < 5000;
                }, `the service's clock is ${offset} off`);
                await ledger.more(100);
            }
            await ledger.stop();
            t.diagnostic(await ledger.verify());
        } finally {
            await server?.stop();
            await postgres?.stop();
        }
    });
}
