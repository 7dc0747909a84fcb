// The interface document, its two readers, the room page, and health probes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachStore } from '../lib/world.js';

/** Every `src` and `href` of a page. */
const links = (html) => [...html.matchAll(/\s(?:src|href|spec-url)="([^"]+)"/g)].map((match) => match[1]);

eachStore('pages', (world) => {
    test('the root says who is there', async () => {
        const answer = await world().client.get('/');
        assert.deepEqual({ ...answer.body, version: '' }, { service: 'Video Consultation Service', version: '', status: 'running', docs: '/docs', health: '/health' });
    });

    test('the document is OpenAPI 3.1 and complete', async () => {
        const { document } = world().client;
        assert.equal(document.openapi, '3.1.0');
        assert.equal(document.info.title, 'Video Consultation Service');
        assert.deepEqual(document.tags.map((each) => each.name), ['Health', 'Video Consultation', 'Root']);
        const ids = new Set();
        for (const [path, item] of Object.entries(document.paths)) {
            for (const [method, operation] of Object.entries(item)) {
                const what = `${method} ${path}`;
                assert.ok(operation.summary && !ids.has(operation.operationId), what);
                ids.add(operation.operationId);
                // /metrics may have a token of its own, and an invitation is what a guest has before any token.
                const open = !path.startsWith('/api/video') || path.endsWith('/invitations/redeem');
                assert.equal(operation.security.every((each) => Object.keys(each).length > 0) && operation.security.length > 0, !open, what);
                assert.equal('401' in operation.responses, !open || path === '/metrics', what);
                assert.deepEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]), (operation.parameters ?? []).filter((each) => each.in === 'path').map((each) => each.name), what);
            }
        }
        for (const path of ['', '/{session_id}', '/{session_id}/join', '/{session_id}/start', '/{session_id}/leave', '/{session_id}/end', '/{session_id}/cancel',
            '/{session_id}/notes', '/{session_id}/events', '/doctor/{doctor_id}', '/patient/{patient_id}']) {
            assert.ok(document.paths[`/api/video/sessions${path}`], path);
        }
    });

    test('every example in the document fits its schema', async () => {
        const { client } = world();
        let count = 0;
        for (const [name, schema] of Object.entries(client.document.components.schemas)) {
            for (const example of schema.examples ?? []) {
                client.assertValid(`/components/schemas/${name}`, example, `an example of ${name}`);
                ++count;
            }
        }
        const visit = (value, pointer) => {
            if (value === null || typeof value !== 'object') return;
            if (value.schema && (value.example !== undefined || value.examples)) {
                const examples = value.example !== undefined ? [value.example] : Object.values(value.examples).map((each) => each.value);
                for (const example of examples) {
                    client.assertValid(`${pointer}/schema`.replaceAll('{', '%7B').replaceAll('}', '%7D'), example, pointer);
                    ++count;
                }
            }
            for (const [key, each] of Object.entries(value)) visit(each, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
        };
        visit(client.document.paths, '/paths');
        visit(client.document.components.responses, '/components/responses');
        assert.ok(count > 60, String(count));
    });

    test('the client of these tests notices what the document does not say', () => {
        const { client } = world();
        const answer = (status, body, headers = {}) => ({
            status, body, text: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers },
        });
        const check = (method, target, what, request = { headers: {} }) => () => client.check(method, target, request, what);
        const page = { sessions: [], total: 0, page: 1, page_size: 20 };
        const path = '/api/video/sessions';
        check('GET', path, answer(200, page))();
        check('GET', path, answer(401, { detail: 'x' }, { 'www-authenticate': 'Bearer' }))();
        check('GET', '/nothing', answer(404, { detail: 'Not Found' }))();
        for (const [why, wrong] of Object.entries({
            'a field is missing': check('GET', path, answer(200, { ...page, total: undefined })),
            'a field too many': check('GET', path, answer(200, { ...page, more: 1 })),
            'a wrong type': check('GET', path, answer(200, { ...page, total: '0' })),
            'a wrong element': check('GET', path, answer(200, { ...page, sessions: [{}] })),
            'an unknown status': check('GET', path, answer(418, { detail: 'x' })),
            'another content type': check('GET', path, answer(200, page, { 'content-type': 'text/plain' })),
            'a header is missing': check('GET', path, answer(401, { detail: 'x' })),
            'a path that is not documented': check('GET', '/nothing', answer(200, {})),
            'a method that is not documented': check('DELETE', path, answer(200, {})),
            'a query that the document forbids': check('GET', `${path}?page=0`, answer(200, page)),
            'a body that the document forbids': check('POST', path, answer(201, client.document.components.schemas.Session.examples[0]), { headers: {}, content: '{"doctor_id":1}' }),
        })) {
            assert.throws(wrong, assert.AssertionError, why);
        }
    });

    test('the readers of the document load only from the program, and work behind a prefix', async () => {
        const { client, server } = world();
        for (const page of ['/docs', '/redoc']) {
            const answer = await client.get(page);
            assert.match(answer.headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/);
            for (const link of links(answer.text)) {
                assert.ok(!/^(\w+:|\/)/.test(link), `${link} is relative`);
                const seenThroughGateway = new URL(link, `http://gateway/video${page}`).pathname;
                assert.ok(seenThroughGateway.startsWith('/video/'), link);
                const file = await fetch(server.url + seenThroughGateway.slice('/video'.length));
                assert.equal(file.status, 200, link);
                assert.equal(file.headers.get('x-content-type-options'), 'nosniff');
            }
        }
    });

    test('the room page is strict and complete', async () => {
        const { client, server } = world();
        const answer = await client.get('/room/54a780e9-cdea-473a-ad93-801d19d54ff4');
        assert.equal(answer.status, 200);
        const policy = answer.headers['content-security-policy'];
        for (const rule of ["default-src 'none'", "script-src 'self'", 'worker-src', 'media-src', "frame-ancestors 'none'", `ws://127.0.0.1:${server.port}`, `wss://127.0.0.1:${server.port}`]) {
            assert.ok(policy.includes(rule), rule);
        }
        assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
        assert.equal(answer.headers['referrer-policy'], 'no-referrer');
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        const assets = links(answer.text);
        assert.ok(assets.length > 0);
        for (const link of assets) {
            const seenThroughGateway = new URL(link, 'http://gateway/video/room/x').pathname;
            assert.ok(seenThroughGateway.startsWith('/video/assets/'), link);
            const file = await fetch(server.url + seenThroughGateway.slice('/video'.length));
            assert.equal(file.status, 200, link);
            assert.match(file.headers.get('cache-control'), /immutable/);
        }
        const forged = await client.request('GET', '/room/x', { headers: { Host: "evil.example; script-src 'unsafe-inline'" } });
        assert.ok(forged.status === 400 || !forged.headers['content-security-policy'].includes('evil'));
    });

    test('every answer carries a request id, the given one if it is sane', async () => {
        const { client } = world();
        assert.ok((await client.get('/')).headers['x-request-id']);
        assert.equal((await client.request('GET', '/nothing', { headers: { 'X-Request-ID': 'trace-42' } })).headers['x-request-id'], 'trace-42');
    });

    test('metrics for Prometheus, without a token and without people', async () => {
        const { client } = world();
        const visit = await (await world().visit()).to('ACTIVE');
        const answer = await client.get('/metrics');
        assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
        const values = new Map();
        for (const line of answer.text.trimEnd().split('\n')) {
            if (line.startsWith('# ')) {
                assert.match(line, /^# (HELP|TYPE) video_consultation_[a-z_0-9]+ ./);
                continue;
            }
            const [, name, value] = line.match(/^(video_consultation_[a-z_0-9]+(?:\{(?:,?[a-z_]+="[^"]*")+\})?) (\d+(?:\.\d+)?(?:e[+-]\d+)?)$/) ?? assert.fail(line);
            assert.ok(!values.has(name), name);
            values.set(name, Number(value));
        }
        assert.equal(values.get('video_consultation_database_up'), 1);
        assert.equal([...values].find(([name]) => name.startsWith(`video_consultation_build_info{version="${client.document.info.version}",`))?.[1], 1);
        assert.equal(values.get('video_consultation_jobs_waiting'), 0);
        assert.ok(values.has('video_consultation_outbox_waiting{channel="broker"}'));
        assert.ok(![...values.keys()].some((name) => name.includes('chime') || name.includes('link_up')), 'neither Chime nor peers are configured');
        for (const secret of [visit.id, visit.doctorId, visit.patientId]) assert.ok(!answer.text.includes(secret));
    });

    test('probes', async () => {
        const { client } = world();
        assert.deepEqual((await client.get('/health/live')).body, { status: 'alive' });
        assert.deepEqual((await client.get('/health/ready')).body, { status: 'ready' });
    });
}, { stores: ['sqlite'] });
