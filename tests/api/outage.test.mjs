// The database goes away and comes back: refusals in bounded time, then everything as before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachStore, eventually, sessions } from '../lib/world.js';

eachStore('database outage', (world) => {
    test('D22, D24: 503 with Retry-After while it is down, recovery by itself', async () => {
        const { client, postgres } = world();
        const visit = await (await world().visit()).to('WAITING');
        await postgres.down();
        for (const ask of [() => visit.get(), () => visit.join(visit.doctor), () => client.get(sessions, visit.doctor), () => visit.end(visit.doctor),
            () => client.post(sessions, visit.patient, world().booking(visit))]) {
            const started = Date.now();
            const answer = await ask();
            assert.equal(answer.status, 503, answer.text);
            assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
            assert.doesNotMatch(answer.text, /postgres|socket|refused|server closed/i);
            assert.ok(Date.now() - started < 10_000);
        }
        const health = await client.get('/health');
        assert.deepEqual([health.status, health.body.status, health.body.database], [200, 'degraded', 'unhealthy']);
        assert.equal((await client.get('/health/ready')).status, 503);
        assert.equal((await client.get('/health/live')).status, 200);
        assert.equal((await client.get(sessions)).status, 401);

        await postgres.boot();
        await eventually(async () => (await client.get('/health/ready')).status === 200, 'ready again', 20_000);
        assert.equal((await visit.get()).body.status, 'WAITING');
        assert.equal((await visit.join(visit.doctor)).status, 200);
        assert.equal((await visit.end(visit.doctor)).body.status, 'COMPLETED');
    });

    test('D22: a database that hangs stops neither liveness nor the answer', async () => {
        const { client, postgres } = world();
        const visit = await world().visit();
        // The postmaster alone would leave its children running, so the whole group of processes is held.
        const children = await postgres.query("select pid from pg_stat_activity where backend_type = 'client backend'", 'postgres');
        const held = [postgres.process.pid, ...children.map(Number)];
        const signal = (name) => held.forEach((pid) => {
            try {
                process.kill(pid, name);
            } catch {
                // The backend that listed the others has ended.
            }
        });
        signal('SIGSTOP');
        try {
            const asked = Date.now();
            const pending = visit.get();
            assert.equal((await client.get('/health/live')).status, 200);
            assert.ok(Date.now() - asked < 1_000);
            assert.equal((await pending).status, 503);
            assert.ok(Date.now() - asked < 20_000);
        } finally {
            signal('SIGCONT');
        }
        await eventually(async () => (await visit.get()).status === 200, 'answers again', 20_000);
    });
}, { stores: ['postgres'] });
