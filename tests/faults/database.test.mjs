// PostgreSQL goes away under load, in every way it can: stopped, killed, frozen, with its connections cut in the middle of
// transactions, and for good, with a replica taking its place. What was acknowledged stays; what was not is done once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Postgres } from '../lib/postgres.js';
import { Server } from '../lib/server.js';
import { CuttingProxy } from './lib/cutting_proxy.mjs';
import { Ledger } from './lib/ledger.mjs';
import { Replica } from './lib/replica.mjs';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const kRounds = Number(process.env.FAULT_ROUNDS ?? 2);

/** A server's processes: the first and its children. */
const processes = (pid) => [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)];

describe('PostgreSQL', () => {
    let postgres;
    before(async () => {
        postgres = await Postgres.start();
    });
    after(() => postgres.stop());

    /** Load on a service, whose database url is as given; `fault` does its worst and gives the moment at which all is well again. */
    async function under(t, databaseUrl, fault) {
        const server = await Server.start({ databaseUrl });
        try {
            const ledger = new Ledger(() => server).start();
            await ledger.more(100);
            let slowest = 0;
            for (let round = 0; round < kRounds; ++round) {
                const well = await fault(server);
                await ledger.more(100);
                slowest = Math.max(slowest, ledger.recovered(well));
            }
            await ledger.stop();
            t.diagnostic(`${kRounds} rounds: ${await ledger.verify()}; the first answer at most ${slowest} ms after the fault's end`);
            assert.equal(server.process.exitCode, null);
            return slowest;
        } finally {
            await server.stop();
        }
    }
    const fresh = async () => postgres.url(await postgres.createDatabase());

    test('is restarted', async (t) => {
        await under(t, await fresh(), async () => {
            postgres.process.kill('SIGINT');
            await postgres.ended;
            await postgres.boot();
            return Date.now();
        });
    });

    test('is killed and stays away for three seconds', async (t) => {
        await under(t, await fresh(), async () => {
            await postgres.down();
            await pause(3000);
            await postgres.boot();
            return Date.now();
        });
    });

    test('is frozen for eight seconds', async (t) => {
        await under(t, await fresh(), async () => {
            const all = processes(postgres.process.pid);
            for (const pid of all) process.kill(pid, 'SIGSTOP');
            await pause(8000);
            for (const pid of all) process.kill(pid, 'SIGCONT');
            return Date.now();
        });
    });

    test('loses its connections in the middle of transactions', async (t) => {
        const proxy = await CuttingProxy.start(postgres.port);
        try {
            await under(t, (await fresh()).replace(`:${postgres.port}/`, `:${proxy.port}/`), async () => {
                proxy.cutWithin(3000);
                await pause(3000);
                proxy.leaveAlone();
                return Date.now();
            });
            assert.ok(proxy.cuts > 10, `${proxy.cuts} connections cut`);
            t.diagnostic(`${proxy.cuts} connections cut`);
        } finally {
            await proxy.stop();
        }
    });
});

test('PostgreSQL fails over to a replica that is promoted', async (t) => {
    const primary = await Postgres.start();
    const replica = new Replica(primary);
    let server;
    try {
        const database = await primary.createDatabase();
        await replica.start();
        server = await Server.start({ databaseUrl: `postgresql://postgres@127.0.0.1:${primary.port},127.0.0.1:${replica.port}/${database}?target_session_attrs=read-write` });
        const ledger = new Ledger(() => server).start();
        await ledger.more(200);
        await primary.down();
        await pause(1000);
        await replica.promote();
        const promoted = Date.now();
        await ledger.more(200);
        await ledger.stop();
        t.diagnostic(`${await ledger.verify()}; the first answer ${ledger.recovered(promoted)} ms after the promotion`);
    } finally {
        await server?.stop();
        await replica.stop();
        await primary.stop();
    }
});
