// Nothing personal gets out by a side door. People, complaints, notes, reasons, guests and tokens are marked; every endpoint
// is driven, well and badly, with the database, the broker and the neighbours failing in between; then every byte that the
// service wrote is searched: its log at the finest level, metrics, traces, the errors it gave, what it told the platform.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Collector } from '../standins/collector.mjs';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { Random } from './lib/random.mjs';
import { Values } from './lib/values.mjs';
import { eventually, sessions, soon } from '../lib/world.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const marks = {
    doctor: 'canary1doctor', patient: 'canary2patient', doctorName: 'Canary3Doctorname', patientName: 'Canary4Patientname', clinicName: 'Canary5Clinic', complaint: 'canary6complaint', notes: 'canary7notes', reason: 'canary8 the reason why',
    guest: 'Canary9Guest', browser: 'canary10browser', issue: 'canary11issue', glass: 'canary12 reason for breaking', idempotency: 'canary13key', path: 'canary14path', query: 'canary15query', header: 'canary16header', agent: 'canary17agent',
};

for (const store of ['sqlite', 'postgres']) {
    describe(`what the service lets out (${store})`, () => {
        let here;
        let collector;
        /** What was answered with an error, beside what had been asked. */
        const errors = [];
        const secrets = [];
        const metrics = [];

        before(async () => {
            collector = await Collector.start();
            here = await Neighbourhood.open({
                store, broker: true, profile: true, appointments: true,
                env: {
                    LOG_LEVEL: 'debug', SLOW_REQUEST_MS: '1', RATE_LIMIT: 'off', ADMIN_ACCESS: 'break-glass', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ENCRYPTION_KEY: `one:${Buffer.alloc(32, 1).toString('base64')}`,
                    METRICS_TOKEN: 'canary20 token of the scraper', AUDIT_KEY: 'canary18 a key of the audit trail that is long enough',
                },
            });
            here.profile.addDoctor(marks.doctor, { firstName: marks.doctorName, lastName: marks.doctorName });
            here.profile.addPatient(marks.patient, { firstName: marks.patientName, lastName: marks.patientName });
            here.profile.addClinic(4, { name: marks.clinicName });
        });
        after(async () => {
            await here?.close();
            await collector?.stop();
        });

        /** Any answer; errors are kept. */
        async function ask(method, target, { token, body, text, headers = {} } = {}) {
            const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
            const all = { 'User-Agent': marks.agent, 'X-Forwarded-For': '203.0.113.77', ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(content === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers };
            const answer = await here.client.exchange(method, target, all, content);
            if (answer.status >= 400) errors.push({ asked: `${method} ${decodeURIComponent(target.replace(/%(?![0-9a-f]{2})/gi, '%25'))} ${content ?? ''} ${JSON.stringify(all)}`, status: answer.status, text: answer.text, headers: JSON.stringify(answer.headers) });
            answer.body = answer.headers['content-type']?.startsWith('application/json') && answer.text ? JSON.parse(answer.text) : undefined;
            for (const token of answer.text.match(/"(?:join_token|access_token|invitation)":"([^"]+)"/g) ?? []) secrets.push(token.split('"')[3]);
            return answer;
        }

        /** Everything that people do in a visit, and some that they may not do. */
        async function live(people) {
            const visit = { doctorId: marks.doctor, patientId: marks.patient, ...people };
            const booking = { booking_type: 'DIRECT_DOCTOR', doctor_id: marks.doctor, patient_id: marks.patient, clinic_id: 4, scheduled_start_time: soon, chief_complaint: marks.complaint, waiting_room: true };
            const booked = await ask('POST', sessions, { token: people.patient, body: booking, headers: { 'Idempotency-Key': `${marks.idempotency}${Math.random()}` } });
            if (booked.status !== 201) return;
            const path = `${sessions}/${booked.body.session_id}`;
            await ask('POST', `${path}/join`, { token: people.patient, body: { browser_info: marks.browser } });
            await ask('GET', `${path}/waiting-room`, { token: people.doctor });
            await ask('POST', `${path}/join`, { token: people.doctor, body: { browser_info: marks.browser } });
            await ask('POST', `${path}/waiting-room/${marks.patient}/admit`, { token: people.doctor });
            await ask('POST', `${path}/join`, { token: people.patient, body: {} });
            const invited = await ask('POST', `${path}/invitations`, { token: people.doctor, body: { role: 'RELATIVE', name: marks.guest } });
            if (invited.status === 201) {
                const guest = await ask('POST', '/api/video/invitations/redeem', { body: { invitation: invited.body.invitation } });
                await ask('POST', `${path}/join`, { token: guest.body?.access_token, body: {} });
                await ask('POST', '/api/video/invitations/redeem', { body: { invitation: invited.body.invitation } });
            }
            await ask('POST', `${path}/quality`, { token: people.patient, body: { audio_quality_score: 1, issue_description: marks.issue } });
            await ask('PUT', `${path}/notes`, { token: people.doctor, body: { session_notes: marks.notes } });
            for (const token of [people.doctor, people.patient, people.admin, people.stranger]) {
                for (const target of [path, `${path}/events`, sessions, `${sessions}/doctor/${marks.doctor}`, `${sessions}/patient/${marks.patient}`, `/api/video/patients/${marks.patient}/export`, `/api/video/patients/${marks.patient}/export?format=fhir`]) {
                    await ask('GET', target, { token });
                    await ask('GET', target, { token, headers: { 'X-Break-Glass-Reason': marks.glass } });
                }
            }
            await ask('POST', `${path}/end`, { token: people.stranger, body: { session_notes: marks.notes } });
            await ask('POST', `${path}/cancel`, { token: people.patient, body: { cancellation_reason: marks.reason } });
            await ask('POST', `${path}/end`, { token: people.doctor, body: { session_notes: marks.notes } });
            const other = await ask('POST', sessions, { token: people.doctor, body: { ...booking, chief_complaint: marks.complaint } });
            if (other.status === 201) await ask('POST', `${sessions}/${other.body.session_id}/cancel`, { token: people.patient, body: { cancellation_reason: marks.reason } });
            metrics.push((await ask('GET', '/metrics', { token: 'canary20 token of the scraper' })).text);
            return visit;
        }

        /** Requests made from the document, with marks wherever a text may stand. */
        async function rage(people, count) {
            const random = new Random(4711);
            const { document } = here.client;
            const values = new Values(random, document);
            values.text = () => random.pick(Object.values(marks));
            const operations = Object.entries(document.paths).filter(([path]) => !path.endsWith('/stream')).flatMap(([path, item]) => ['get', 'post', 'put', 'patch', 'delete'].filter((method) => item[method]).map((method) => [method, path, item[method]]));
            for (let number = 0; number < count; ++number) {
                const [method, path, operation] = random.pick(operations);
                const target = `${path.replace(/\{\w+\}/g, () => encodeURIComponent(random.pick([marks.path, marks.doctor, marks.patient])))}${random.chance(0.3) ? `?${marks.query}=${marks.query}&status=${marks.query}&page=${marks.query}` : ''}`;
                const schema = operation.requestBody?.content?.['application/json']?.schema;
                const body = schema ? values.mutated(values.fitting(schema)) : undefined;
                const text = body === undefined ? undefined : random.chance(0.2) ? `{"broken": "${marks.complaint}` : JSON.stringify(body);
                await ask(method.toUpperCase(), target, { token: random.pick([people.doctor, people.patient, people.admin, people.stranger, `${people.doctor}x`]), text, headers: { 'X-Header': marks.header, 'X-Request-ID': `${marks.header} not sane`, traceparent: marks.header } });
            }
        }

        test('nothing personal, nothing secret', { timeout: 180_000 }, async (t) => {
            const { server } = here.world;
            const people = { doctor: server.token('DOCTOR', marks.doctor), patient: server.token('PATIENT', marks.patient), admin: here.world.admin, stranger: server.token('DOCTOR', 'canary19stranger') };
            secrets.push(...Object.values(people), server.secret);
            await live(people);
            await rage(people, 1500);
            // The broker goes, and comes back; so do the neighbours; so does the database.
            await here.broker.down();
            await live(people);
            await here.broker.boot();
            await here.profile.stop();
            await here.appointments.stop();
            await live(people);
            await rage(people, 300);
            if (here.world.postgres) {
                await here.world.postgres.down();
                await live(people);
                await ask('GET', `${sessions}/doctor/${marks.doctor}`, { token: people.doctor });
                await rage(people, 200);
                await here.world.postgres.boot();
                await eventually(async () => (await ask('GET', '/health/ready')).status === 200, 'the service is ready again', 30_000);
            }
            await live(people);
            await eventually(() => collector.spans.length > 100, 'spans have come');
            await eventually(async () => (await here.health()).outbox.waiting === 0, 'the platform has been told', 60_000);
            await pause(1500);
            await server.terminate();

            const sources = {
                'the log': server.log, 'the metrics': metrics.join('\n'), 'the traces': collector.requests.map((each) => each.body + JSON.stringify(each.headers)).join('\n'),
                'what the platform is told': JSON.stringify(here.recorder.events.map((each) => [each.key, each.text, each.properties])),
            };
            /** The platform is told who is concerned, by their ids, and why a visit was cancelled: that is the contract. */
            const told = new Set(['doctor', 'patient', 'reason']);
            for (const [where, text] of Object.entries(sources)) {
                assert.ok(text.length > 1000, `${where} is there to be searched`);
                for (const [what, mark] of Object.entries(marks)) {
                    if (where === 'what the platform is told' && told.has(what)) continue;
                    const at = text.indexOf(mark);
                    assert.ok(at < 0, `${what} is in ${where}: …${text.slice(Math.max(0, at - 200), at + 60)}`);
                }
                for (const mark of ['canary18', 'canary19', 'canary20', '203.0.113.77', ...secrets]) assert.ok(!text.includes(mark), `a secret, or an address, is in ${where}: ${mark.slice(0, 12)}…`);
            }
            for (const { asked, status, text, headers } of errors) {
                for (const [what, mark] of Object.entries(marks)) {
                    assert.ok(!(text + headers).includes(mark) || asked.includes(mark), `${what} is in an error that had not been given it: ${asked.slice(0, 200)} → ${status} ${text.slice(0, 300)}`);
                }
                assert.ok(!/sqlite|postgres|libpq|SELECT |INSERT |\/src\/|boost::|std::/i.test(text), `${status} ${text.slice(0, 300)}`);
            }
            t.diagnostic(`${server.log.length} bytes of log, ${collector.spans.length} spans, ${errors.length} errors, ${here.recorder.events.length} messages, ${secrets.length} secrets`);
        });
    });
}
