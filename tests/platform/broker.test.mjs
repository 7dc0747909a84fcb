// The broker that the other tests here rely on: what it has confirmed survives kill -9, and nothing of it is left over.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { RabbitMq } from '../lib/rabbitmq.js';

const processesOf = (folder) =>
    execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8', maxBuffer: 16 << 20 }).split('\n').filter((line) => line.includes(folder));

describe('the broker of the tests', () => {
    let broker;
    before(async () => {
        broker = await RabbitMq.start();
    });
    after(() => broker?.stop());

    test('persistent messages that were confirmed survive kill -9', async () => {
        await broker.withChannel(async (channel) => {
            await channel.assertExchange('e', 'topic', { durable: true });
            await channel.assertQueue('q', { durable: true });
            await channel.bindQueue('q', 'e', 'k.#');
            for (let i = 0; i < 500; ++i) channel.publish('e', 'k.a', Buffer.from(String(i)), { persistent: true, messageId: String(i) });
            await channel.waitForConfirms();
        });
        assert.equal(await broker.depth('q'), 500);
        await broker.down();
        await assert.rejects(broker.connect());
        await broker.boot();
        await broker.withChannel(async (channel) => {
            const got = [];
            await new Promise((resolve, reject) => {
                channel.consume('q', (message) => {
                    got.push(message.properties.messageId);
                    channel.ack(message);
                    if (got.length === 500) resolve();
                }).catch(reject);
            });
            assert.deepEqual(got, Array.from({ length: 500 }, (_, i) => String(i)));
        });
        assert.equal(await broker.depth('q'), 0);
    });

    test('a frozen broker answers nothing until it thaws', async () => {
        broker.freeze();
        let connected = false;
        const connecting = broker.connect().then((connection) => {
            connected = true;
            return connection.close();
        });
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.equal(connected, false);
        broker.thaw();
        await connecting;
    });

    test('a queue that nobody made has no depth', async () => {
        assert.equal(await broker.depth('nobody-made-this'), undefined);
    });

    test('after the stop there is neither a process nor a folder', async () => {
        const { folder } = broker;
        assert.ok(processesOf(folder).length > 0);
        const pids = [broker.process.pid, broker.mapper.pid];
        await broker.stop();
        assert.ok(!existsSync(folder));
        assert.deepEqual(processesOf(folder), []);
        for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    });
});
