// What operators get (deploy/monitoring): Prometheus takes it, every alert fires and stays calm as it should, and every
// name in it is one that the service really has.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Chime } from '../lib/chime.js';
import { makeCertificate } from '../lib/certificates.js';
import { freePort } from '../lib/free_port.js';
import { promtool } from '../lib/prometheus.js';
import { Server } from '../lib/server.js';
import { eventually } from '../lib/world.js';
import { Collector } from '../standins/collector.mjs';
import https from 'node:https';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'deploy', 'monitoring');
const rules = join(folder, 'rules', 'video-consultation.yml');
const dashboard = JSON.parse(readFileSync(join(folder, 'grafana', 'dashboards', 'video-consultation.json'), 'utf8'));

/** What Grafana puts in for its variables. */
const filled = (expression) => expression.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');
const expressions = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ panel: panel.title, text: filled(target.expr) })));
const namesIn = (text) => new Set(text.match(/video_consultation_[a-z0-9_]+/g) ?? []);

describe('rules', () => {
    test('promtool takes the rules', () => {
        const { status, output } = promtool(['check', 'rules', rules]);
        assert.equal(status, 0, output);
    });

    test('promtool takes the example of a configuration', () => {
        const scratch = mkdtempSync(join(tmpdir(), 'vc-promtool-'));
        try {
            writeFileSync(join(scratch, 'prometheus.yml'), readFileSync(join(folder, 'prometheus.yml')));
            writeFileSync(join(scratch, 'metrics-token'), 'secret');
            const { status, output } = promtool(['check', 'config', '--syntax-only', join(scratch, 'prometheus.yml')]);
            assert.equal(status, 0, output);
        } finally {
            rmSync(scratch, { recursive: true });
        }
    });

    test('every alert fires when it should and is silent when it should be', () => {
        const { status, output } = promtool(['test', 'rules', 'video-consultation.yml'], { cwd: join(folder, 'tests') });
        assert.equal(status, 0, output);
    });

    test('there is a test of both for every alert', () => {
        const alerts = readFileSync(rules, 'utf8').match(/(?<=alert: )\w+/g);
        const tests = readFileSync(join(folder, 'tests', 'video-consultation.yml'), 'utf8');
        assert.equal(new Set(alerts).size, alerts.length);
        for (const alert of alerts) {
            const cases = tests.split(/^ {2}- interval:/m).filter((each) => each.includes(`alertname: ${alert}\n`));
            assert.ok(cases.some((each) => each.includes('exp_alerts: []')), `${alert} is shown to stay calm`);
            assert.ok(cases.some((each) => each.includes('exp_labels')), `${alert} is shown to fire`);
        }
    });

    test('the documentation names every alert', () => {
        const page = readFileSync(join(folder, '..', '..', 'docs', 'monitoring.md'), 'utf8');
        for (const alert of readFileSync(rules, 'utf8').match(/(?<=alert: )\w+/g)) assert.ok(page.includes(alert), alert);
    });
});

describe('dashboard', () => {
    test('every expression is one that Prometheus understands', () => {
        const groups = expressions.map(({ text }, i) => ({ record: `panel:${i}:value`, expr: text }));
        const scratch = mkdtempSync(join(tmpdir(), 'vc-promtool-'));
        try {
            writeFileSync(join(scratch, 'rules.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules: groups }] }));
            const { status, output } = promtool(['check', 'rules', join(scratch, 'rules.yml')]);
            assert.equal(status, 0, output);
            assert.match(output, new RegExp(`${expressions.length} rules found`));
        } finally {
            rmSync(scratch, { recursive: true });
        }
    });

    test('panels do not lie on one another', () => {
        for (const [i, a] of dashboard.panels.entries()) {
            for (const b of dashboard.panels.slice(i + 1)) {
                const [p, q] = [a.gridPos, b.gridPos];
                const apart = p.x + p.w <= q.x || q.x + q.w <= p.x || p.y + p.h <= q.y || q.y + q.h <= p.y;
                assert.ok(apart, `${a.title} and ${b.title}`);
            }
        }
        assert.equal(new Set(dashboard.panels.map((each) => each.id)).size, dashboard.panels.length);
    });
});

describe('a real scrape', () => {
    let chime;
    let collector;
    let server;
    let scratch;
    let scrape;
    before(async () => {
        chime = await Chime.start();
        collector = await Collector.start();
        scratch = mkdtempSync(join(tmpdir(), 'vc-scrape-'));
        const pair = makeCertificate(scratch, 'service');
        const ask = (path, headers = {}) => new Promise((resolve, reject) => {
            https.get(`https://127.0.0.1:${server.port}${path}`, { ca: pair.pem, headers }, (answer) => {
                let text = '';
                answer.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('end', () => resolve({ status: answer.statusCode, text }));
            }).on('error', reject);
        });
        // Everything that has metrics of its own is wanted; what is not there counts as disconnected.
        server = await Server.start({
            env: {
                ...chime.environment, TLS_CERT_FILE: pair.certificate, TLS_KEY_FILE: pair.key,
                RABBITMQ_HOST: '127.0.0.1', RABBITMQ_PORT: String(await freePort()),
                WEBHOOK_URLS: 'http://127.0.0.1:9/hook', WEBHOOK_SECRET: 'a secret of webhooks', OUTGOING_ALLOW: '127.0.0.0/8',
                OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, RATE_LIMIT: 'on',
            },
            ready: (started) => {
                server = started;
                return ask('/health/ready').then((answer) => answer.status === 200, () => false);
            },
        });
        // The census is the last to come.
        scrape = await eventually(async () => {
            const { text } = await ask('/metrics');
            return text.includes('\nvideo_consultation_sessions{') && text.includes('\nvideo_consultation_free_tier_used_seconds ') && text;
        }, 'a scrape with everything in it', 40_000);
    });
    after(async () => {
        await server?.stop();
        await chime?.stop();
        await collector?.stop();
        rmSync(scratch, { recursive: true, force: true });
    });

    const families = () => new Set([...scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])));

    test('promtool finds nothing wrong with the metrics', () => {
        const { status, output } = promtool(['check', 'metrics'], { input: scrape });
        assert.equal(status, 0, output);
        assert.equal(output.trim(), '');
    });

    test('every metric of the alerts and of the dashboard is there', () => {
        const there = families();
        const wanted = [...namesIn(readFileSync(rules, 'utf8')), ...expressions.flatMap(({ text }) => [...namesIn(text)])];
        assert.deepEqual([...new Set(wanted)].filter((name) => !there.has(name)), []);
    });

    test('the documentation names every metric', () => {
        const page = readFileSync(join(folder, '..', '..', 'docs', 'monitoring.md'), 'utf8');
        const names = [...scrape.matchAll(/^# TYPE video_consultation_(\S+) /gm)].map(([, name]) => name);
        assert.deepEqual(names.filter((name) => !page.includes(`\`${name}\``)), []);
    });

    test('labels have only so many values, and none is anybody\'s', () => {
        const lines = scrape.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
        assert.ok(lines.length < 3000, `${lines.length} series`);
        const routes = new Set([...scrape.matchAll(/route="([^"]*)"/g)].map(([, route]) => route));
        for (const route of routes) assert.match(route, /^(unmatched|preflight|\/[a-z0-9_{}./-]*)$/);
        assert.doesNotMatch(scrape, /[0-9a-f]{8}-[0-9a-f]{4}-4/, 'no ids');
    });

    test('the certificate, the process and the build are described', () => {
        const value = (name) => Number(new RegExp(`^video_consultation_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(scrape)?.[1]);
        const now = Date.now() / 1000;
        assert.ok(value('tls_certificate_not_after_seconds') > now && value('tls_certificate_not_after_seconds') < now + 2 * 86400);
        assert.ok(value('process_resident_memory_bytes') > 10e6);
        assert.ok(value('process_open_fds') > 10);
        assert.ok(value('process_start_time_seconds') > now - 300 && value('process_start_time_seconds') <= now);
        assert.ok(value('process_cpu_seconds_total') > 0);
        assert.match(scrape, /build_info\{[^}]*compiler="clang \d+\.[^"]*"/);
    });
});
