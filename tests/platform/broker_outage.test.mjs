// A broker that is down costs the API nothing, and a service that is killed loses nothing.
//
// OUTAGE_SECONDS (10) and KILL_ROUNDS (5) make it longer for the record.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { auditEvents, expectedMessages, Load, percentile } from '../lib/load.js';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { eventually, sessions } from '../lib/world.js';

const OUTAGE_SECONDS = Number(process.env.OUTAGE_SECONDS ?? 10);
const KILL_ROUNDS = Number(process.env.KILL_ROUNDS ?? 5);
const RATE = 200;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function withNeighbourhood(wanted, run) {
    const here = await Neighbourhood.open({ broker: true, ...wanted });
    try {
        await run(here);
    } finally {
        await here.close();
    }
}

/** Until the recorder has everything, and nothing more comes. */
async function allTold(here, visits, limit) {
    const wanted = expectedMessages(visits);
    const seen = () => new Set(here.recorder.events.map((each) => `${each.exchange} ${each.properties.messageId}`)).size;
    await eventually(() => seen() >= wanted, () => `${wanted} messages; there are ${seen()}`, limit);
    await eventually(async () => (await here.health()).outbox.waiting === 0, 'the outbox is empty', limit);
    await pause(500);
    return auditEvents(visits, here.recorder.events);
}

for (const store of ['sqlite', 'postgres']) {
    test(`the broker is down for ${OUTAGE_SECONDS} s under ${RATE} requests a second: no request fails, everything is told afterwards, in order (D12, ${store})`, (t) =>
        withNeighbourhood({ store }, async (here) => {
            const load = new Load(here.world.server, { rate: RATE }).start();
            await pause(1000);
            await here.broker.down();
            const begun = Date.now();
            await eventually(async () => (await here.health()).rabbitmq === 'disconnected', 'health says that the broker is gone', OUTAGE_SECONDS * 1000);
            assert.equal((await here.health()).status, 'degraded');
            await pause(Math.max(0, begun + OUTAGE_SECONDS * 1000 - Date.now()));
            const waiting = (await here.health()).outbox;
            assert.ok(waiting.waiting > 0 && waiting.oldest_seconds > 0, JSON.stringify(waiting));
            await here.broker.boot();
            await pause(2000);
            await load.stop();
            assert.deepEqual(load.failures.slice(0, 3), [], `${load.failures.length} of ${load.sent} requests failed`);
            const { events, duplicates, problems } = await allTold(here, load.visits, 60_000);
            assert.deepEqual(problems.slice(0, 5), [], `${problems.length} problems`);
            await eventually(async () => (await here.health()).rabbitmq === 'healthy', 'health is well again', 30_000);
            t.diagnostic(
                `${load.sent} requests, none failed, p50 ${percentile(load.latencies, 0.5).toFixed(1)} ms, p99 ${percentile(load.latencies, 0.99).toFixed(1)} ms; ` +
                    `${events} messages arrived, ${duplicates} of them twice`,
            );
        }));
}

test('a broker that accepts everything and answers nothing costs no request anything', (t) =>
    withNeighbourhood({}, async (here) => {
        const load = new Load(here.world.server, { rate: RATE }).start();
        await pause(500);
        here.broker.freeze();
        await pause(4000);
        here.broker.thaw();
        await load.stop();
        assert.deepEqual(load.failures.slice(0, 3), []);
        const { problems } = await allTold(here, load.visits, 60_000);
        assert.deepEqual(problems.slice(0, 5), []);
        const p99 = percentile(load.latencies, 0.99);
        t.diagnostic(`p99 ${p99.toFixed(1)} ms`);
        assert.ok(p99 < 250, `p99 ${p99} ms`);
    }));

for (const store of ['sqlite', 'postgres']) {
    test(`kill -9 of the service, ${KILL_ROUNDS} rounds: every acknowledged change is told, in order, twice only under one id (${store})`, (t) =>
        withNeighbourhood({ store }, async (here) => {
            const { server } = here.world;
            const visits = new Map();
            let sent = 0;
            for (let round = 0; round < KILL_ROUNDS; ++round) {
                const load = new Load(server, { rate: RATE }).start();
                // The moment is drawn anew each round; there is no event to wait for.
                await pause(300 + Math.random() * 700);
                await server.kill();
                await load.stop();
                sent += load.sent;
                for (const [id, visit] of load.visits) visits.set(id, visit);
                const refused = load.failures.filter((each) => /^\d/.test(each.why));
                assert.deepEqual(refused.slice(0, 3), [], `round ${round}`);
                await server.boot();
            }
            assert.ok(visits.size > KILL_ROUNDS);
            const { events, duplicates, problems } = await allTold(here, visits, 60_000);
            assert.deepEqual(problems.slice(0, 5), [], `${problems.length} problems`);
            t.diagnostic(`${KILL_ROUNDS} rounds, ${sent} requests, ${visits.size} visits, ${events} messages, ${duplicates} of them twice, none lost`);
        }));

    test(`kill -9 of the service, ${KILL_ROUNDS} rounds: no request of the appointments service is lost or done twice (${store})`, (t) =>
        withNeighbourhood({ store }, async (here) => {
            const { listeners, world } = here;
            const pair = world.pair();
            const booked = [];
            for (let round = 0; round < KILL_ROUNDS; ++round) {
                const many = Array.from({ length: 40 }, () => randomUUID());
                for (const appointmentId of many) booked.push(await listeners.book({ appointmentId, doctorId: pair.doctorId, patientId: pair.patientId }));
                await pause(Math.random() * 150);
                await world.server.kill();
                await world.server.boot();
            }
            await eventually(() => booked.every((each) => each.meetingLink), () => `${booked.filter((each) => !each.meetingLink).length} appointments without a link`, 60_000);
            const page = (await here.client.get(`${sessions}?page_size=1`, world.admin)).body;
            assert.equal(page.total, booked.length);
            assert.equal(new Set(booked.map((each) => each.meetingId)).size, booked.length);
            assert.equal(await here.broker.depth('video-session-requests.parked'), 0);
            t.diagnostic(`${booked.length} requests, as many sessions`);
        }));
}
