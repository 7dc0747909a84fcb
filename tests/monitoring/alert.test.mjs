// A real Prometheus scrapes a real service, with the rules that operators get, and rings when the broker is gone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Prometheus } from '../lib/prometheus.js';
import { RabbitMq } from '../lib/rabbitmq.js';
import { eventually, World } from '../lib/world.js';

const rules = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'deploy', 'monitoring', 'rules', 'video-consultation.yml');
const token = 'a-token-of-prometheus';

describe('alerts', () => {
    let broker;
    let world;
    let prometheus;
    before(async () => {
        broker = await RabbitMq.start();
        world = await World.open({ env: { ...broker.environment, METRICS_TOKEN: token } });
        await eventually(async () => (await world.client.get('/health')).body.rabbitmq === 'healthy', 'the service is at the broker', 30_000);
        prometheus = await Prometheus.start({
            files: {
                // The same rules; only their patience is shorter.
                'rules.yml': readFileSync(rules, 'utf8').replaceAll(/for: \d+[mh]/g, 'for: 1s'),
                'token': token,
            },
            config: (folder) => JSON.stringify({
                global: { scrape_interval: '1s', evaluation_interval: '1s' },
                rule_files: [join(folder, 'rules.yml')],
                scrape_configs: [{
                    job_name: 'video-consultation',
                    authorization: { credentials_file: join(folder, 'token') },
                    static_configs: [{ targets: [`127.0.0.1:${world.server.port}`] }],
                }],
            }),
        });
    });
    after(async () => {
        await prometheus?.stop();
        await world?.close();
        await broker?.stop();
    });

    test('all is calm while all is well', async () => {
        await eventually(async () => (await prometheus.query('up{job="video-consultation"} == 1')).length === 1, 'a scrape', 30_000);
        await eventually(async () => (await prometheus.query('video_consultation_link_up{peer="broker"} == 1')).length === 1, 'the broker is seen', 30_000);
        const firing = await prometheus.firing();
        // How late event loops and media threads are is a matter of the machine that the tests run on.
        assert.deepEqual(firing.filter((name) => !/Lag$|Late$|Slow$/.test(name)), []);
    });

    test('without the broker an alert fires, and ends when the broker is back', async () => {
        await broker.down();
        await eventually(async () => (await prometheus.firing()).includes('VideoConsultationBrokerAway'), 'the alert', 60_000);
        await broker.boot();
        await eventually(async () => !(await prometheus.firing()).includes('VideoConsultationBrokerAway'), 'its end', 60_000);
    });

    test('without the service another one does', async () => {
        await world.server.terminate();
        await eventually(async () => (await prometheus.firing()).includes('VideoConsultationDown'), 'the alert', 60_000);
    });
});
