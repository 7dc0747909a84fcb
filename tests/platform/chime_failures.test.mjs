// AWS throttles, fails, is silent, or costs too much: nobody but the one who wanted a meeting notices, and mostly not even
// they.
import assert from 'node:assert/strict';
import http from 'node:http';
import { performance } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { percentile } from '../lib/load.js';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { Server } from '../lib/server.js';
import { eventually, sessions } from '../lib/world.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function withNeighbourhood(wanted, run) {
    const here = await Neighbourhood.open({ chime: true, ...wanted });
    try {
        await run(here);
    } finally {
        await here.close();
    }
}

/** Nothing of AWS's own words, and no key, reaches a client. */
function assertPlain(here, answer) {
    assert.ok(answer.body.detail.length > 10, answer.text);
    for (const word of ['ordered by the test', 'Exception', 'AKID', here.chime.secret, 'RequestId', 'amz']) assert.ok(!answer.text.includes(word), answer.text);
}

/** Latencies of everything that is not a join, while `trouble` goes on. */
async function othersWhile(here, visit, trouble) {
    const { world } = here;
    let going = true;
    const troubled = trouble().finally(() => (going = false));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    const call = (method, path, token, body) =>
        new Promise((resolve, reject) => {
            const begun = performance.now();
            const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
            const request = http.request({ agent, host: '127.0.0.1', port: world.server.port, method, path, headers }, (answer) => {
                answer.resume();
                answer.on('end', () => resolve({ status: answer.statusCode, took: performance.now() - begun }));
            });
            request.on('error', reject);
            request.end(body === undefined ? undefined : JSON.stringify(body));
        });
    const kinds = [
        () => call('GET', visit.path, visit.doctor),
        () => call('GET', '/health', visit.doctor),
        () => call('GET', sessions, visit.patient),
        () => call('POST', sessions, visit.patient, world.booking(visit)),
        () => call('GET', '/api/video/metrics/usage', visit.doctor),
        () => call('PUT', `${visit.path}/notes`, visit.doctor, { session_notes: 'Better.' }),
    ];
    const took = [];
    const worker = async (first) => {
        for (let i = first; going; ++i) {
            const answer = await kinds[i % kinds.length]();
            assert.ok(answer.status < 300, `${i % kinds.length}: ${answer.status}`);
            took.push(answer.took);
            await pause(4);
        }
    };
    await Promise.all([troubled, worker(0), worker(3)]);
    agent.destroy();
    return took.sort((a, b) => a - b);
}

for (const [name, order] of [
    ['is silent', (chime) => chime.hang()],
    ['throttles', (chime) => chime.throttle({ retryAfter: 1 })],
    ['fails', (chime) => chime.fail({ status: 500 })],
    ['takes two seconds for everything', (chime) => chime.latency(2000)],
]) {
    test(`D22: while AWS ${name}, all else is answered as ever`, (t) =>
        withNeighbourhood({ env: { MEETING_PROVIDER: 'chime', CHIME_TIMEOUT_MS: '1500' } }, async (here) => {
            const visit = await here.world.visit();
            const waiting = await Promise.all(Array.from({ length: 60 }, () => here.world.visit()));
            const running = await (await here.world.visit()).to('ACTIVE');
            await order(here.chime);
            const took = await othersWhile(here, visit, async () => {
                // Ending asks nothing of AWS either: what is to be done there is done afterwards.
                const [ended] = await Promise.all([running.end(running.doctor), ...waiting.map((each) => each.join(each.patient)), pause(3000)]);
                assert.equal(ended.status, 200);
            });
            const p99 = percentile(took, 0.99);
            t.diagnostic(`${took.length} requests meanwhile, p50 ${percentile(took, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
            assert.ok(took.length > 200);
            assert.ok(p99 < 50, `p99 ${p99} ms`);
        }));
}

describe('errors of AWS as clients see them', () => {
    for (const [name, order, status] of [
        ['a failure is 502', (chime) => chime.fail({ status: 500 }), 502],
        ['a refusal is 502', (chime) => chime.fail({ status: 403, code: 'ForbiddenException' }), 502],
        ['a bad request is 502', (chime) => chime.fail({ status: 400, code: 'BadRequestException' }), 502],
        ['throttling is 503', (chime) => chime.throttle({ retryAfter: 7 }), 503],
        ['unavailability is 503', (chime) => chime.fail({ status: 503, code: 'ServiceUnavailableException', retryAfter: 7 }), 503],
        ['silence is 504', (chime) => chime.hang(), 504],
    ]) {
        test(name, () =>
            withNeighbourhood({ env: { MEETING_PROVIDER: 'chime', CHIME_TIMEOUT_MS: '1200' } }, async (here) => {
                const visit = await here.world.visit();
                await order(here.chime);
                const refused = await visit.join(visit.patient);
                assert.equal(refused.status, status, refused.text);
                assertPlain(here, refused);
                if (status === 503) assert.ok(Number(refused.headers['retry-after']) >= 1, 'it says when to come again');
                assert.equal((await visit.get()).body.status, 'SCHEDULED');
                await here.chime.heal();
                assert.equal((await visit.join(visit.patient)).status, 200, 'and then it works');
                assert.ok(!here.world.server.log.includes(here.chime.secret));
                assert.ok(!here.world.server.log.includes('ordered by the test'));
            }));
    }

    test('a passing failure is not noticed at all', () =>
        withNeighbourhood({ env: { MEETING_PROVIDER: 'chime' } }, async (here) => {
            const visit = await here.world.visit();
            await here.chime.throttle({ count: 1 });
            await here.chime.fail({ status: 500, count: 1 });
            assert.equal((await visit.join(visit.patient)).status, 200);
            await here.chime.cut({ operation: 'CreateAttendee', count: 1 });
            assert.equal((await visit.join(visit.doctor)).status, 200);
            const other = await here.world.visit();
            await here.chime.cut({ count: 1 });
            const joined = await other.join(other.patient);
            assert.equal(joined.status, 200, joined.text);
            assert.equal((await here.chime.state()).meetings.filter((each) => each.ExternalMeetingId === `pulseone-${other.id}`).length, 1);
        }));

    test('wrong keys are said to be our trouble, and not shown', () =>
        withNeighbourhood({ env: { MEETING_PROVIDER: 'chime', AWS_SECRET_ACCESS_KEY: 'not/the+right+one' } }, async (here) => {
            const visit = await here.world.visit();
            const refused = await visit.join(visit.patient);
            assert.equal(refused.status, 502, refused.text);
            assertPlain(here, refused);
            assert.ok(!here.world.server.log.includes('not/the+right+one'));
        }));

    test('a breaker keeps away from an AWS that fails, says so in health and metrics, and closes again', () =>
        withNeighbourhood({ env: { MEETING_PROVIDER: 'chime' } }, async (here) => {
            const { chime, client, world } = here;
            assert.equal((await here.health()).aws_chime, 'configured');
            await chime.fail({ status: 500 });
            await eventually(async () => {
                const visit = await world.visit();
                await visit.join(visit.patient);
                return (await here.health()).aws_chime === 'unavailable';
            }, 'the breaker opens');
            assert.equal((await here.health()).status, 'degraded');
            assert.match((await client.exchange('GET', '/metrics', {})).text, /chime_breaker\{state="open"\} 1/);
            const before = (await chime.state()).total;
            const visit = await world.visit();
            assert.equal((await visit.join(visit.patient)).status, 503);
            assert.equal((await chime.state()).total, before, 'AWS was left alone');
            await chime.heal();
            await eventually(async () => (await visit.join(visit.patient)).status === 200, 'AWS is tried again', 30_000);
            await eventually(async () => (await here.health()).status === 'healthy', 'and is well');
        }));
});

describe('falling back to the embedded server', () => {
    const auto = (run) => withNeighbourhood({ env: { MEETING_PROVIDER: 'auto', CHIME_TIMEOUT_MS: '1200' } }, run);

    for (const [name, order] of [
        ['throttles', (chime) => chime.throttle()],
        ['fails', (chime) => chime.fail({ status: 500 })],
        ['is silent', (chime) => chime.hang()],
    ]) {
        test(`when AWS ${name}, the next visit is on the embedded server, and the trail says why`, () =>
            auto(async ({ chime, world }) => {
                const visit = await world.visit();
                await order(chime);
                const joined = await visit.join(visit.patient);
                await chime.heal();
                assert.equal(joined.status, 200, joined.text);
                assert.ok(joined.body.attendee.join_token);
                assert.deepEqual([(await visit.get()).body.meeting_provider, joined.body.external_meeting_id], ['embedded', `pulseone-${visit.id}`]);
                const trail = (await visit.events()).body.find((each) => each.event_type === 'MEETING_CREATED').event_description;
                assert.match(trail, /^Meeting created: \S+ \(.*Chime.*\)$/);
                // It stays where it is.
                const doctor = await visit.join(visit.doctor);
                assert.deepEqual([doctor.status, doctor.body.meeting_id], [200, joined.body.meeting_id]);
                assert.equal((await visit.end(visit.doctor)).status, 200);
            }));
    }

    test('a meeting that runs at AWS is never moved', () =>
        auto(async ({ chime, world }) => {
            const visit = await world.visit();
            const first = await visit.join(visit.patient);
            assert.equal((await visit.get()).body.meeting_provider, 'chime');
            await chime.throttle();
            const refused = await visit.join(visit.doctor);
            await chime.heal();
            assert.equal(refused.status, 503, refused.text);
            const doctor = await visit.join(visit.doctor);
            assert.deepEqual([doctor.status, doctor.body.meeting_id], [200, first.body.meeting_id]);
        }));
});

describe('the month’s budget', () => {
    /**
     * Each stay costs a tenth of a minute at least: five visits of two use up a budget of one. The service may go by a
     * figure that is some seconds old, so `next` visits are tried until one shows what comes of it.
     */
    const useUp = async (here, next) => {
        for (let i = 0; i < 5; ++i) await (await here.world.visit()).to('COMPLETED');
        const usage = (await here.client.get('/api/video/metrics/usage', here.world.admin)).body;
        assert.ok(usage.percentage_used >= 100, JSON.stringify(usage));
        return await eventually(async () => {
            const visit = await here.world.visit();
            const joined = await visit.join(visit.patient);
            return (await next(visit, joined)) && { visit, joined };
        }, 'it is noticed', 30_000);
    };
    const provider = async (visit) => (await visit.get()).body.meeting_provider;
    const env = (policy) => ({ AWS_FREE_TIER_ATTENDEE_MINUTES: '1', CHIME_BUDGET_POLICY: policy, MEETING_PROVIDER: 'auto' });

    test('fallback: the next visit is on the embedded server, and the trail says why; one that runs at AWS goes on there', () =>
        withNeighbourhood({ env: env('fallback') }, async (here) => {
            const running = await (await here.world.visit()).to('WAITING');
            const { visit, joined } = await useUp(here, async (each) => (await provider(each)) === 'embedded');
            assert.equal(joined.status, 200);
            assert.ok((await here.chime.state()).meetings.every((each) => each.ExternalMeetingId !== `pulseone-${visit.id}`));
            const trail = (await visit.events()).body.find((each) => each.event_type === 'MEETING_CREATED').event_description;
            assert.match(trail, /^Meeting created: \S+ \(.*(budget|free tier|minutes).*\)$/i);
            const doctor = await running.join(running.doctor);
            assert.deepEqual([doctor.status, await provider(running)], [200, 'chime']);
        }));

    test('refuse: no further meeting is made, and the client is told so', () =>
        withNeighbourhood({ env: env('refuse') }, async (here) => {
            const { visit, joined } = await useUp(here, async (each, answer) => answer.status !== 200);
            assert.equal(joined.status, 503, joined.text);
            assertPlain(here, joined);
            assert.match(joined.body.detail, /minutes|budget|free tier/i);
            assert.equal((await visit.get()).body.status, 'SCHEDULED');
        }));

    test('warn: it goes on at AWS, and the log says so', () =>
        withNeighbourhood({ env: env('warn') }, async (here) => {
            const { visit, joined } = await useUp(here, async () => /budget|free tier|used up/i.test(here.world.server.log));
            assert.deepEqual([joined.status, await provider(visit)], [200, 'chime']);
        }));
});

describe('credentials', () => {
    test('a session token is sent and signed', () =>
        withNeighbourhood({ chime: { token: 'temporary/token+with=odd-characters==' } }, async (here) => {
            const visit = await here.world.visit();
            assert.equal((await visit.join(visit.patient)).status, 200);
            assert.equal((await visit.get()).body.meeting_provider, 'chime');
        }));

    test('without any, MEETING_PROVIDER=chime does not start, in the words of AWS’s own tools', async () => {
        const refused = await Server.start({ env: { MEETING_PROVIDER: 'chime' } }).then((server) => server.stop(), (error) => error);
        assert.match(String(refused.message), /Error: Unable to locate credentials/);
    });

    test('without any, auto is the embedded server', async () => {
        const here = await Neighbourhood.open({ env: { MEETING_PROVIDER: 'auto' } });
        try {
            const visit = await here.world.visit();
            assert.equal((await visit.join(visit.patient)).status, 200);
            assert.equal((await visit.get()).body.meeting_provider, 'embedded');
            assert.equal((await here.health()).aws_chime, 'not configured');
        } finally {
            await here.close();
        }
    });

    test('those of a container are renewed before they expire', async () => {
        let number = 0;
        let here;
        const container = http.createServer((request, answer) => {
            ++number;
            answer.setHeader('Content-Type', 'application/json');
            answer.end(JSON.stringify({
                AccessKeyId: `AKIDCONTAINER${number}`, SecretAccessKey: `secret/${number}`, Token: `token/${number}==`,
                Expiration: new Date(Date.now() + 20_000).toISOString(),
            }));
        });
        await new Promise((resolve) => container.listen(0, '127.0.0.1', resolve));
        try {
            here = await Neighbourhood.open({
                chime: true,
                env: {
                    MEETING_PROVIDER: 'chime',
                    AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined,
                    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${container.address().port}/credentials`,
                },
            });
            await here.chime.accept(Array.from({ length: 50 }, (_, i) => ({ key: `AKIDCONTAINER${i}`, secret: `secret/${i}`, token: `token/${i}==` })));
            await eventually(async () => {
                const visit = await here.world.visit();
                assert.equal((await visit.join(visit.patient)).status, 200);
                return number >= 3;
            }, 'the keys are asked for again', 60_000);
        } finally {
            await here?.close();
            await new Promise((resolve) => container.close(resolve));
        }
    });
});
