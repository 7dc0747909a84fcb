// One trace from a client's request over the store and the broker to a webhook, as a collector sees it; and the log.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { eventually, sessions, World } from '../lib/world.js';
import { Collector } from '../standins/collector.mjs';

const newTrace = () => {
    const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
    return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'vendor=of-the-client' } };
};

/** Keeps the headers of what it is sent. */
class Hook {
    static async start() {
        const hook = new Hook();
        hook.calls = [];
        hook.server = http.createServer((request, response) => {
            let text = '';
            request.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('end', () => {
                hook.calls.push({ headers: request.headers, body: JSON.parse(text) });
                response.writeHead(204).end();
            });
        });
        await new Promise((resolve) => hook.server.listen(0, '127.0.0.1', resolve));
        hook.url = `http://127.0.0.1:${hook.server.address().port}/hook`;
        return hook;
    }

    stop() {
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(resolve));
    }
}

for (const store of ['sqlite', 'postgres']) {
    describe(`traces (${store})`, () => {
        let collector;
        let hook;
        let here;
        before(async () => {
            collector = await Collector.start();
            hook = await Hook.start();
            here = await Neighbourhood.open({
                store, broker: true, chime: true,
                env: {
                    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'video', OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=k1',
                    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0',
                    WEBHOOK_URLS: hook.url, WEBHOOK_SECRET: 'a secret of webhooks', OUTGOING_ALLOW: '127.0.0.0/8',
                },
            });
        });
        after(async () => {
            await here?.close();
            await hook?.stop();
            await collector?.stop();
            assert.deepEqual(collector.faults, [], 'every document is of the protocol\'s shape');
        });

        const bySpanId = (spans) => new Map(spans.map((each) => [each.spanId, each]));
        const status = (span) => span.attributes.find((each) => each.key === 'http.response.status_code')?.value.intValue;

        test('a booking is one trace, from HTTP to the broker\'s header and the webhook', async () => {
            const { world } = here;
            const pair = world.pair();
            const trace = newTrace();
            const booked = await world.client.request('POST', sessions, { token: pair.doctor, body: world.booking(pair), headers: trace.headers });
            assert.equal(booked.status, 201, booked.text);
            const [told] = await here.told(booked.body.session_id, ['video.session.created']);
            await eventually(() => hook.calls.some((each) => each.body.data.session_id === booked.body.session_id), 'the webhook');
            const names = () => collector.of(trace.traceId).map((each) => each.name).sort();
            const wanted = ['POST /api/video/sessions', 'publish', 'store commit', 'webhook'];
            await eventually(() => wanted.every((name) => names().includes(name)), () => `the spans; there are ${names()}`);

            const spans = collector.of(trace.traceId);
            const of = (name) => spans.find((each) => each.name === name);
            const server = of('POST /api/video/sessions');
            assert.deepEqual([server.kind, server.parentSpanId, status(server), server.service], [2, trace.spanId, '201', 'video']);
            for (const name of ['store commit', 'publish', 'webhook']) assert.equal(of(name).parentSpanId, server.spanId, name);
            assert.deepEqual([of('store commit').kind, of('publish').kind, of('webhook').kind], [3, 4, 3]);
            assert.equal(status(of('webhook')), '204');
            for (const span of spans) assert.equal(span.status, undefined, `${span.name} did not fail`);

            const { traceparent, tracestate } = told.properties.headers;
            assert.equal(traceparent, `00-${trace.traceId}-${of('publish').spanId}-01`);
            assert.equal(tracestate, 'vendor=of-the-client');
            const call = hook.calls.find((each) => each.body.data.session_id === booked.body.session_id);
            assert.equal(call.headers.traceparent, `00-${trace.traceId}-${of('webhook').spanId}-01`);
            assert.equal(call.headers.tracestate, 'vendor=of-the-client');
        });

        test('a join goes on to Amazon Chime', async () => {
            const visit = await here.world.visit();
            const trace = newTrace();
            const joined = await here.client.request('POST', `${visit.path}/join`, { token: visit.patient, body: {}, headers: trace.headers });
            assert.equal(joined.status, 200, joined.text);
            await eventually(() => collector.of(trace.traceId).some((each) => each.name === 'CreateMeetingWithAttendees'), 'the span of the call');
            const spans = bySpanId(collector.of(trace.traceId));
            const call = [...spans.values()].find((each) => each.name === 'CreateMeetingWithAttendees');
            assert.equal(spans.get(call.parentSpanId).name, 'POST /api/video/sessions/{}/join');
            const asked = (await here.chime.calls('CreateMeetingWithAttendees')).at(-1);
            assert.equal(asked.traceparent, `00-${trace.traceId}-${call.spanId}-01`);
        });

        test('a request by message goes on with its trace', async () => {
            const pair = here.world.pair();
            const trace = newTrace();
            const request = {
                scheduled_time: new Date(Date.now() + 3600_000).toISOString().slice(0, 19),
                appointment_id: here.world.newAppointment(), doctor_id: pair.doctorId, patient_id: pair.patientId,
            };
            await here.listeners.publish('appointment.video.create', request, { properties: { headers: trace.headers } });
            const names = () => collector.of(trace.traceId).map((each) => each.name);
            await eventually(() => names().includes('consume') && names().includes('publish'), () => `the spans; there are ${names()}`);
            const spans = bySpanId(collector.of(trace.traceId));
            const consume = [...spans.values()].find((each) => each.name === 'consume');
            assert.deepEqual([consume.kind, consume.parentSpanId, consume.status], [5, trace.spanId, undefined]);
            const published = [...spans.values()].find((each) => each.name === 'publish');
            assert.equal(spans.get(published.parentSpanId).name, 'consume');
        });

        test('what nobody wants recorded is not, and a broken header begins no trace of its own', async () => {
            const trace = newTrace();
            const seen = collector.spans.length;
            const visit = await here.world.visit();
            await here.client.request('GET', visit.path, { token: visit.doctor, headers: { traceparent: trace.headers.traceparent.replace(/-01$/, '-00') } });
            await here.client.request('GET', visit.path, { token: visit.doctor, headers: { traceparent: 'nonsense' } });
            // What comes behind them has arrived: so would they have.
            const last = newTrace();
            await here.client.request('GET', visit.path, { token: visit.doctor, headers: last.headers });
            await eventually(() => collector.of(last.traceId).length > 0, 'the last one');
            const fresh = collector.spans.slice(seen).filter((each) => each.traceId !== last.traceId);
            assert.deepEqual(fresh.filter((each) => each.kind === 2), []);
        });

        test('the collector gets its headers, and nothing that is anybody\'s', async () => {
            assert.ok(collector.requests.length > 0);
            for (const request of collector.requests) {
                assert.equal(request.path, '/v1/traces');
                assert.equal(request.headers['x-collector-key'], 'k1');
                assert.doesNotMatch(request.body, /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/, 'no ids of sessions');
            }
        });

        test('a collector that is away costs spans, which are counted, and nothing else', async () => {
            collector.status = 503;
            const dropped = async () => Number(/trace_spans_total\{outcome="dropped"\} (\d+)/.exec((await here.client.request('GET', '/metrics')).text)[1]);
            const before = await dropped();
            const visit = await here.world.visit();
            for (let i = 0; i < 3; ++i) {
                const answer = await here.client.request('GET', visit.path, { token: visit.doctor, headers: newTrace().headers });
                assert.equal(answer.status, 200);
            }
            await eventually(async () => (await dropped()) > before, 'spans are given up');
            collector.status = 200;
            const trace = newTrace();
            await here.client.request('GET', visit.path, { token: visit.doctor, headers: trace.headers });
            await eventually(() => collector.of(trace.traceId).length > 0, 'the next one arrives');
        });
    });
}

describe('without a collector', () => {
    test('a trace is passed on as it came, and none is begun', async () => {
        const here = await Neighbourhood.open({ broker: true });
        try {
            const pair = here.world.pair();
            const trace = newTrace();
            const traced = await here.client.request('POST', sessions, { token: pair.doctor, body: here.world.booking(pair), headers: trace.headers });
            const [told] = await here.told(traced.body.session_id, ['video.session.created']);
            assert.equal(told.properties.headers.traceparent, trace.headers.traceparent);
            assert.equal(told.properties.headers.tracestate, trace.headers.tracestate);
            const untraced = await here.world.visit();
            const [other] = await here.told(untraced.id, ['video.session.created']);
            assert.equal(other.properties.headers.traceparent, undefined);
        } finally {
            await here.close();
        }
    });
});

describe('the log', () => {
    test('as JSON it is one object a line, and slow requests stand in it by their patterns', async () => {
        // Every request is slow enough for one millisecond that waits for the disk.
        const world = await World.open({ env: { LOG_FORMAT: 'json', SLOW_REQUEST_MS: '1', LOG_LEVEL: 'debug' } });
        try {
            const lines = () => world.server.log.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
            const trace = newTrace();
            let visit;
            const slow = () => lines().find((line) => line.message === 'slow request' && line.fields.route === '/api/video/sessions/{}/notes' && line.trace_id === trace.traceId);
            visit = await world.visit();
            await visit.to('ACTIVE');
            await eventually(async () => {
                await world.client.request('PUT', `${visit.path}/notes`, { token: visit.doctor, body: { session_notes: `a private word ${Math.random()}` }, headers: { ...trace.headers, 'X-Request-ID': 'request-of-the-test' } });
                return slow();
            }, 'a slow request in the log');
            const line = slow();
            assert.deepEqual([line.level, line.request_id, line.fields.method, line.fields.status], ['warning', 'request-of-the-test', 'PUT', '200']);
            assert.match(line.fields.ms, /^\d+$/);
            assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/);
            for (const each of lines()) {
                assert.deepEqual(Object.keys(each).filter((key) => !['time', 'level', 'message', 'request_id', 'trace_id', 'fields'].includes(key)), []);
                assert.ok(['debug', 'info', 'warning', 'error'].includes(each.level));
            }
            assert.ok(!world.server.log.includes('a private word'));
            assert.ok(!lines().some((each) => each.message === 'slow request' && JSON.stringify(each).includes(visit.id)), 'no path values');
        } finally {
            await world.close();
        }
    });
});
