// Who gets /metrics, and that what it says is so.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eachStore, eventually, sessions, World } from '../lib/world.js';

/** The values of a family, by their labels as they are written. */
async function family(world, name, headers = {}) {
    const { text } = await world.client.request('GET', '/metrics', { headers });
    const lines = [...text.matchAll(new RegExp(`^video_consultation_${name}(\\{.*\\})? (\\S+)$`, 'gm'))];
    return new Map(lines.map(([, labels, value]) => [labels ?? '', Number(value)]));
}

eachStore('metrics', (world) => {
    test('requests are counted by pattern and status, and measured', async () => {
        const route = '{method="GET",route="/api/video/sessions/{}"';
        const count = async (status) => (await family(world(), 'http_requests_total')).get(`${route},status="${status}"}`) ?? 0;
        const [found, missing] = [await count(200), await count(404)];
        const visit = await world().visit();
        for (let i = 0; i < 3; ++i) assert.equal((await visit.get()).status, 200);
        assert.equal((await world().client.request('GET', `${sessions}/nobody-has-this-id`, { token: visit.doctor })).status, 404);
        assert.deepEqual([await count(200), await count(404)], [found + 3, missing + 1]);
        const buckets = await family(world(), 'http_request_duration_seconds_bucket');
        const all = (await family(world(), 'http_request_duration_seconds_count')).get(`${route}}`);
        assert.equal(buckets.get(`${route},le="+Inf"}`), all);
        assert.ok(all >= found + missing + 4);
        const ordered = [...buckets].filter(([labels]) => labels.startsWith(route)).map(([, value]) => value);
        assert.deepEqual(ordered, [...ordered].sort((a, b) => a - b), 'buckets are cumulative');
    });

    test('what is no route is one route', async () => {
        const before = (await family(world(), 'http_requests_total')).get('{method="any",route="unmatched",status="404"}') ?? 0;
        for (const path of ['/wp-login.php', '/api/video/nothing/here']) {
            const answer = await fetch(`${world().server.url}${path}`);
            assert.equal(answer.status, 404);
        }
        assert.equal((await family(world(), 'http_requests_total')).get('{method="any",route="unmatched",status="404"}'), before + 2);
    });

    test('whoever asks for metrics is in flight and connected', async () => {
        assert.ok((await family(world(), 'http_requests_in_flight')).get('') >= 1);
        assert.ok((await family(world(), 'http_connections')).get('') >= 1);
    });

    test('sessions are counted by state, the store by its calls', async () => {
        const before = await family(world(), 'sessions');
        const scheduled = before.get('{state="scheduled"}') ?? 0;
        await world().visit();
        const active = await (await world().visit()).to('ACTIVE');
        await (await world().visit()).to('CANCELLED');
        await eventually(async () => {
            const now = await family(world(), 'sessions');
            const closed = await family(world(), 'sessions_closed_last_day');
            return now.get('{state="scheduled"}') >= scheduled + 1 && now.get('{state="active"}') >= 1 && closed.get('{state="cancelled"}') >= 1;
        }, 'the next look at the store', 40_000);
        assert.equal((await active.end(active.doctor)).status, 200);
        const calls = await family(world(), 'database_call_duration_seconds_count');
        assert.ok(calls.get('{kind="read"}') > 0 && calls.get('{kind="write"}') > 0);
        assert.equal((await family(world(), 'database_writes_refused')).get(''), 0);
        assert.ok((await family(world(), 'database_connections')).get('') >= 1);
    });
});

describe('who may see metrics', () => {
    test('without a token: whoever asks the process itself, and nobody through a proxy', async () => {
        const world = await World.open();
        try {
            assert.equal((await world.client.request('GET', '/metrics')).status, 200);
            for (const header of ['X-Forwarded-For', 'Forwarded', 'Via']) {
                const answer = await world.client.request('GET', '/metrics', { headers: { [header]: header === 'Forwarded' ? 'for=192.0.2.1' : '192.0.2.1' } });
                assert.equal(answer.status, 403, header);
            }
        } finally {
            await world.close();
        }
    });

    test('with a token: whoever has it, from anywhere', async () => {
        const world = await World.open({ env: { METRICS_TOKEN: 'a-token-of-prometheus' } });
        try {
            const none = await world.client.request('GET', '/metrics');
            assert.equal(none.status, 401);
            assert.equal(none.headers['www-authenticate'], 'Bearer');
            for (const token of ['a-token-of-prometheu', 'a-token-of-prometheus ', world.admin]) {
                assert.equal((await world.client.request('GET', '/metrics', { token })).status, token.endsWith(' ') ? 200 : 401);
            }
            const good = await world.client.request('GET', '/metrics', { token: 'a-token-of-prometheus', headers: { 'X-Forwarded-For': '192.0.2.1' } });
            assert.equal(good.status, 200);
            assert.doesNotMatch(good.text, /a-token-of-prometheus/);
        } finally {
            await world.close();
        }
    });
});
