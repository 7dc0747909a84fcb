// How often users and addresses may ask, what they are told, and that several processes count together.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.js';
import { Postgres } from '../lib/postgres.js';
import { Server } from '../lib/server.js';
import { World, sessions } from '../lib/world.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function worldWith(env, store = 'sqlite') {
    let world;
    before(async () => {
        world = await World.open({ store, env: { RATE_LIMIT: 'on', ...env } });
    });
    after(() => world?.close());
    return () => world;
}

/**
 * Asks until the answer is 429.
 * @returns {{ allowed: number, most: number, over: object }} `most`: the quota and what was refilled meanwhile.
 */
async function exhaust(quota, ask) {
    const begun = Date.now();
    for (let allowed = 0; ; ++allowed) {
        const answer = await ask();
        const most = quota + Math.ceil(((Date.now() - begun) * quota) / 60_000);
        if (answer.status === 429) return { allowed, most, over: answer };
        assert.ok(allowed < most, `${allowed + 1} of ${most} allowed`);
    }
}

function assertRefusal(answer, name, quota) {
    assert.deepEqual(answer.body, { detail: 'Too many requests, please wait a moment' });
    assert.equal(answer.headers['ratelimit-policy'], `"${name}";q=${quota};w=60`);
    assert.match(answer.headers.ratelimit, new RegExp(`^"${name}";r=0;t=(5\\d|60)$`));
    const wait = Number(answer.headers['retry-after']);
    assert.ok(wait >= 1 && wait <= Math.ceil(60 / quota), answer.headers['retry-after']);
}

for (const store of ['sqlite', 'postgres']) {
    describe(`limits of a user (${store})`, () => {
        const world = worldWith({ RATE_LIMIT_READ: '40', RATE_LIMIT_WRITE: '30', RATE_LIMIT_JOIN: '6', RATE_LIMIT_REFRESH: '3' }, store);

        test('reading, writing, joining and renewing are counted apart, for each user', async () => {
            const visit = await (await world().visit()).to('ACTIVE');
            const { client } = world();
            const kinds = [
                ['read', 40, () => visit.get(visit.doctor)],
                ['write', 30, () => visit.notes(visit.doctor, 'x')],
                ['join', 6, () => visit.join(visit.doctor)],
                ['refresh', 3, () => client.request('POST', '/api/video/auth/refresh-token', { token: visit.doctor })],
            ];
            for (const [name, quota, ask] of kinds) {
                const { over } = await exhaust(quota, ask);
                assertRefusal(over, name, quota);
            }
            assert.equal((await visit.get(visit.patient)).status, 200, 'the patient has limits of their own');
            assert.equal((await client.get('/health')).status, 200);
        });

        test('claims in X-User-* fields open no other bucket, another token does not either', async () => {
            const visit = await world().visit();
            await exhaust(40, () => visit.get(visit.doctor));
            const asOther = await world().client.request('GET', visit.path, { token: visit.doctor, headers: { 'X-User-ID': 'somebody-else', 'X-User-Role': 'CLINIC_ADMIN' } });
            assert.equal(asOther.status, 429);
            assert.equal((await visit.get(world().server.token('DOCTOR', visit.doctorId, 1800))).status, 429);
        });

        test('whoever waits as long as told is let in', async () => {
            const visit = await world().visit();
            const { over } = await exhaust(40, () => visit.get(visit.doctor));
            await pause(Number(over.headers['retry-after']) * 1000);
            assert.equal((await visit.get(visit.doctor)).status, 200);
        });
    });
}

describe('limits of an address', () => {
    const world = worldWith({ RATE_LIMIT_ANONYMOUS: '50', RATE_LIMIT_FAILED: '12' });

    test('wrong tokens are refused ever sooner, good ones pass, expired ones are told so', async () => {
        const visit = await world().visit();
        const wrong = `${visit.doctor.slice(0, -6)}AAAAAA`;
        const { over, most, allowed } = await exhaust(12, () => visit.get(wrong));
        assert.ok(allowed <= most);
        assertRefusal(over, 'failed', 12);
        assert.equal((await visit.get(visit.doctor)).status, 200);
        assert.equal((await visit.get(world().server.token('DOCTOR', visit.doctorId, -60))).status, 401);
    });

    test('without a token there is one limit for everything; probes and known users have none of it', async () => {
        const { over } = await exhaust(50, () => world().client.get('/openapi.json'));
        assertRefusal(over, 'anonymous', 50);
        const { client } = world();
        for (let i = 0; i < 60; ++i) assert.equal((await client.get('/health/live')).status, 200);
        assert.equal((await client.get('/metrics')).status, 200);
        assert.equal((await client.get('/health')).status, 429);
        assert.equal((await client.get(sessions)).status, 429);
        assert.equal((await client.get(sessions, world().admin)).status, 200);
    });

    test('nobody gets another bucket by claiming another address', async () => {
        const { client } = world();
        const claims = (number) => ({ 'X-Forwarded-For': `192.0.2.${number}`, Forwarded: `for=192.0.2.${number}`, 'X-Real-IP': `192.0.2.${number}` });
        let number = 0;
        const { allowed, most } = await exhaust(50, () => client.request('GET', '/openapi.json', { headers: claims(++number) }));
        assert.ok(allowed <= most);
    });
});

describe('limits of an address behind a trusted proxy', () => {
    const world = worldWith({ RATE_LIMIT_ANONYMOUS: '20', TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' });

    test('the address that the proxy tells is the one that counts', async () => {
        const { client } = world();
        const from = (address) => () => client.request('GET', '/openapi.json', { headers: { 'X-Forwarded-For': address } });
        await exhaust(20, from('192.0.2.1'));
        await exhaust(20, from('192.0.2.2'));
        // What stands before the address that the proxy saw is the client's own word.
        assert.equal((await from('198.51.100.9, 192.0.2.2')()).status, 429);
        assert.equal((await from('192.0.2.2, 10.1.2.3')()).status, 429, 'a chain of proxies');
        await exhaust(20, from('2001:db8::1'));
        assert.equal((await from('2001:db8::abcd')()).status, 429, 'the same network');
        assert.equal((await from('2001:db8:0:1::1')()).status, 200);
    });

    test('a proxy that tells no address is not taken for a client', async () => {
        for (let i = 0; i < 60; ++i) assert.equal((await world().client.get('/openapi.json')).status, 200);
    });
});

describe('defaults', () => {
    const world = worldWith({});

    test('two people in a busy visit do not meet them', async () => {
        const visit = await world().visit();
        // An hour's polling, every 5 s, at four times the speed of a quarter of it.
        const answers = [await visit.join(visit.patient), await visit.join(visit.doctor)];
        for (let i = 0; i < 180; ++i) answers.push(await visit.get(i % 2 ? visit.doctor : visit.patient));
        for (let i = 0; i < 10; ++i) answers.push(await visit.notes(visit.doctor, `note ${i}`), await visit.join(visit.patient));
        answers.push(await visit.events(), await visit.leave(visit.patient), await visit.end(visit.doctor));
        for (const answer of answers) assert.equal(answer.status, 200, answer.text);
        assert.equal(answers[2].headers['ratelimit-policy'], '"read";q=300;w=60');
        assert.match(answers[2].headers.ratelimit, /^"read";r=29\d;t=\d$/);
        assert.equal(answers[0].headers['ratelimit-policy'], '"join";q=30;w=60');
    });
});

describe('off', () => {
    const world = worldWith({ RATE_LIMIT: 'off', RATE_LIMIT_READ: '3' });

    test('nobody is limited, and nothing is said about it', async () => {
        const visit = await world().visit();
        for (let i = 0; i < 20; ++i) {
            const answer = await visit.get();
            assert.deepEqual([answer.status, answer.headers.ratelimit], [200, undefined]);
        }
    });
});

describe('two processes on one database', () => {
    const quota = 600;
    let postgres, database;
    let servers = [];

    before(async () => {
        postgres = await Postgres.start();
        database = await postgres.createDatabase();
        const start = () => Server.start({ databaseUrl: postgres.url(database), env: { RATE_LIMIT: 'on', RATE_LIMIT_READ: String(quota) } });
        servers = [await start(), await start()];
    });
    after(async () => {
        await Promise.all(servers.map((server) => server.stop()));
        await postgres?.stop();
    });

    test('let a user through as often as one would, and keep nobody by name', async () => {
        const token = servers[0].token('DOCTOR', 'busy-doctor');
        const clients = await Promise.all(servers.map((server) => Client.connect(server.url)));
        const begun = Date.now();
        let allowed = 0;
        let refused = 0;
        const worker = async (client) => {
            while (Date.now() - begun < 8000) {
                const { status } = await client.get(`${sessions}?page_size=1`, token);
                assert.ok([200, 429].includes(status), String(status));
                status === 200 ? ++allowed : ++refused;
                await pause(10);
            }
        };
        await Promise.all([...clients, ...clients].map(worker));
        const one = quota + ((Date.now() - begun) * quota) / 60_000;
        console.log(`allowed ${allowed}, refused ${refused}, one process alone ${Math.round(one)}, share ${(allowed / one).toFixed(2)}`);
        assert.ok(refused > 0, `only ${allowed} requests in all`);
        assert.ok(allowed <= 1.3 * one, `${allowed} allowed, one process alone would allow ${one}`);
        assert.ok(allowed >= 0.9 * quota, `only ${allowed} allowed`);
        clients.forEach((client) => client.close());

        const kept = await postgres.query('select key from video_consultation_rates', database);
        assert.equal(kept.length, 1);
        assert.match(kept[0], /^-?\d+$/);
        const columns = await postgres.query("select column_name from information_schema.columns where table_name = 'video_consultation_rates' order by 1", database);
        assert.deepEqual(columns, ['full_at', 'key']);
    });

    test('go on by their own count while the database is away, and count together again afterwards', async () => {
        const token = servers[0].token('DOCTOR', 'another-doctor');
        const [one, other] = servers.map((server) => () => fetch(`${server.url}${sessions}?page_size=1`, { headers: { Authorization: `Bearer ${token}` } }).then(async (answer) => (await answer.text(), answer.status)));
        await postgres.down();
        let limited = 0;
        for (let i = 0; i < 900 && limited < 3; ++i) limited += (await one()) === 429 ? 1 : 0;
        assert.equal(limited, 3, 'the limit holds');
        await postgres.boot();
        const deadline = Date.now() + 30_000;
        let status = 0;
        while (status !== 429 && Date.now() < deadline) {
            status = await other();
            await pause(20);
        }
        assert.equal(status, 429, 'the other process has heard of it');
    });
});
