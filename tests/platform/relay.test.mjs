// The way of the events to the broker: when there is none, when it comes late, when several processes share the work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRecorder } from '../lib/event_recorder.js';
import { freePort } from '../lib/free_port.js';
import { auditEvents, expectedMessages, Load } from '../lib/load.js';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { RabbitMq } from '../lib/rabbitmq.js';
import { Server } from '../lib/server.js';
import { eventually } from '../lib/world.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const day = ['video.session.created', 'video.session.started', 'video.user.joined', 'video.user.joined', 'video.session.ended'];

test('without a broker in the configuration events stay in the outbox, counted, and nothing is wrong', async () => {
    const here = await Neighbourhood.open();
    try {
        await (await here.world.visit()).to('COMPLETED');
        await eventually(async () => (await here.health()).outbox.waiting === day.length, 'they are counted');
        const health = await here.health();
        assert.deepEqual([health.rabbitmq, health.status, health.outbox.last_error], ['disabled', 'healthy', null]);
        assert.match((await here.client.exchange('GET', '/metrics', {})).text, /video_consultation_outbox_waiting\{channel="broker"\} 5/);
    } finally {
        await here.close();
    }
});

test('a broker that is not there at the start is found when it comes; until then health is degraded and nothing waits for it', async () => {
    const port = await freePort();
    const here = await Neighbourhood.open({ env: { RABBITMQ_HOST: '127.0.0.1', RABBITMQ_PORT: String(port) } });
    let broker;
    let recorder;
    try {
        const visit = await (await here.world.visit()).to('COMPLETED');
        const health = await here.health();
        assert.deepEqual([health.rabbitmq, health.status], ['disconnected', 'degraded']);
        await eventually(async () => (await here.health()).outbox.last_error, 'health says what the trouble is');
        assert.ok(!JSON.stringify((await here.health()).outbox).includes('guest'));
        broker = await RabbitMq.start({ port });
        // Nobody listened before; whoever listens from the start hears all.
        recorder = await EventRecorder.start(broker);
        const later = await (await here.world.visit()).to('COMPLETED');
        await eventually(() => recorder.keys(later.id).join() === day.join(), 'the events arrive', 60_000);
        await eventually(async () => (await here.health()).status === 'healthy', 'health is well again', 60_000);
        await eventually(async () => (await here.health()).outbox.waiting === 0, 'nothing waits');
        assert.ok(recorder.keys(visit.id).length <= day.length);
    } finally {
        await here.close();
        await recorder?.stop();
        await broker?.stop();
    }
});

test('two processes on one database tell everything once; when one is killed the other goes on', async (t) => {
    const here = await Neighbourhood.open({ broker: true, store: 'postgres' });
    let second;
    try {
        const { world, broker, recorder } = here;
        second = await Server.start({ databaseUrl: world.postgres.url(world.database), env: { ...broker.environment, MEETING_PROVIDER: 'embedded' } });
        const visits = new Map();
        const underLoad = async (servers, ms) => {
            const loads = servers.map((server) => new Load(server, { rate: 60 }).start());
            await pause(ms);
            for (const load of loads) {
                await load.stop();
                assert.deepEqual(load.failures.slice(0, 3), []);
                for (const [id, visit] of load.visits) visits.set(id, visit);
            }
        };
        const seen = () => new Set(recorder.events.map((each) => `${each.exchange} ${each.properties.messageId}`)).size;
        const allTold = () => eventually(() => seen() >= expectedMessages(visits), () => `${expectedMessages(visits)} messages; there are ${seen()}`, 90_000);

        await underLoad([world.server, second], 3000);
        await allTold();
        await pause(500);
        const shared = auditEvents(visits, recorder.events);
        assert.deepEqual(shared.problems.slice(0, 3), []);
        assert.equal(shared.duplicates, 0, 'nobody tells what the other has told');

        await world.server.kill();
        await underLoad([second], 1500);
        await allTold();
        await world.server.boot();
        await second.kill();
        await underLoad([world.server], 1500);
        await allTold();
        const { events, duplicates, problems } = auditEvents(visits, recorder.events);
        assert.deepEqual(problems.slice(0, 3), []);
        t.diagnostic(`${events} messages, ${duplicates} of them twice`);
    } finally {
        await second?.stop();
        await here.close();
    }
});
