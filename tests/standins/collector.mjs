// A stand-in for an OpenTelemetry collector: takes OTLP over HTTP in JSON and checks every document against the shape
// that the protocol prescribes (opentelemetry-proto, trace/v1, in its JSON mapping: ids in hexadecimal, 64-bit numbers as
// texts, enumerations as numbers).
import assert from 'node:assert/strict';
import http from 'node:http';

const only = (object, allowed, where) => {
    assert.equal(typeof object, 'object', where);
    for (const key of Object.keys(object)) assert.ok(allowed.includes(key), `${where}: unknown field ${key}`);
};
const text = (value, where) => assert.ok(typeof value === 'string' && value !== '', `${where} is a text`);
const nanoseconds = (value, where) => assert.match(value, /^\d{19}$/, `${where} is a number of nanoseconds, as text`);

function checkAttributes(attributes, where) {
    assert.ok(Array.isArray(attributes), where);
    const seen = new Set();
    for (const attribute of attributes) {
        only(attribute, ['key', 'value'], where);
        text(attribute.key, `${where}.key`);
        assert.ok(!seen.has(attribute.key), `${where}: ${attribute.key} twice`);
        seen.add(attribute.key);
        const [kind, ...more] = Object.keys(attribute.value);
        assert.equal(more.length, 0, where);
        if (kind === 'intValue') assert.match(attribute.value.intValue, /^-?\d+$/, where);
        else assert.equal(typeof attribute.value[kind], { stringValue: 'string', boolValue: 'boolean', doubleValue: 'number' }[kind], where);
    }
}

function checkSpan(span) {
    const known = ['traceId', 'spanId', 'traceState', 'parentSpanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano', 'attributes', 'status'];
    only(span, known, 'span');
    assert.match(span.traceId, /^(?!0{32})[0-9a-f]{32}$/);
    assert.match(span.spanId, /^(?!0{16})[0-9a-f]{16}$/);
    if (span.parentSpanId !== undefined) assert.match(span.parentSpanId, /^(?!0{16})[0-9a-f]{16}$/);
    text(span.name, 'name');
    assert.ok(Number.isInteger(span.kind) && span.kind >= 1 && span.kind <= 5, 'kind');
    nanoseconds(span.startTimeUnixNano, 'startTimeUnixNano');
    nanoseconds(span.endTimeUnixNano, 'endTimeUnixNano');
    assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), 'a span ends after it began');
    checkAttributes(span.attributes ?? [], 'attributes');
    if (span.status !== undefined) {
        only(span.status, ['code', 'message'], 'status');
        assert.ok([0, 1, 2].includes(span.status.code));
    }
}

/** Throws where the document is not an ExportTraceServiceRequest; gives its spans, each with the name of its service. */
export function spansOf(document) {
    const spans = [];
    only(document, ['resourceSpans'], 'document');
    for (const resource of document.resourceSpans) {
        only(resource, ['resource', 'scopeSpans', 'schemaUrl'], 'resourceSpans');
        checkAttributes(resource.resource.attributes, 'resource.attributes');
        const service = resource.resource.attributes.find((each) => each.key === 'service.name').value.stringValue;
        for (const scope of resource.scopeSpans) {
            only(scope, ['scope', 'spans', 'schemaUrl'], 'scopeSpans');
            only(scope.scope, ['name', 'version'], 'scope');
            text(scope.scope.name, 'scope.name');
            for (const span of scope.spans) {
                checkSpan(span);
                spans.push({ ...span, service });
            }
        }
    }
    return spans;
}

export class Collector {
    static async start() {
        const collector = new Collector();
        collector.spans = [];
        collector.requests = [];
        collector.faults = [];
        collector.status = 200;
        collector.server = http.createServer((request, response) => {
            let body = '';
            request.setEncoding('utf8').on('data', (chunk) => (body += chunk));
            request.on('end', () => {
                collector.requests.push({ path: request.url, headers: request.headers, body });
                if (collector.status === 200) collector.take(request, body);
                response.writeHead(collector.status, { 'Content-Type': 'application/json' }).end('{}');
            });
        });
        await new Promise((resolve) => collector.server.listen(0, '127.0.0.1', resolve));
        collector.url = `http://127.0.0.1:${collector.server.address().port}`;
        return collector;
    }

    take(request, body) {
        try {
            assert.equal(request.method, 'POST');
            assert.equal(request.headers['content-type'], 'application/json');
            this.spans.push(...spansOf(JSON.parse(body)));
        } catch (error) {
            this.faults.push(error);
        }
    }

    of(traceId) {
        return this.spans.filter((each) => each.traceId === traceId);
    }

    async stop() {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }
}
