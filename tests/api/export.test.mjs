// All that is held on a patient, as JSON and as FHIR R4.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFhir } from '../lib/fhir.js';
import { sql } from '../lib/time_travel.js';
import { eachStore } from '../lib/world.js';

const exportOf = (patientId, query = '') => `/api/video/patients/${encodeURIComponent(patientId)}/export${query}`;
const resources = (bundle, type) => bundle.entry.map((each) => each.resource).filter((each) => each.resourceType === type);

eachStore('export', (world) => {
    /** One visit that was held, one that was cancelled, one that is still to come. */
    async function history(pair = world().pair()) {
        const held = await world().visit({ chief_complaint: 'Kopfschmerz, 頭痛 "stark"' }, pair);
        await held.to('ACTIVE');
        await world().client.post(`${held.path}/quality`, pair.patient, { audio_quality_score: 2, issue_description: 'echo on the line' });
        await held.end(pair.doctor, { session_notes: 'Ruhe, viel trinken.\nKontrolle in 7 Tagen.', connection_quality_rating: 4 });
        const cancelled = await world().visit({}, pair);
        await cancelled.cancel(pair.patient, 'Kind krank');
        const coming = await world().visit({}, pair);
        return { ...pair, held, cancelled, coming };
    }

    test('JSON: sessions with texts, stays, figures and audit', async () => {
        const past = await history();
        const { body, status } = await world().client.get(exportOf(past.patientId), past.patient);
        assert.equal(status, 200);
        assert.deepEqual([body.patient_id, body.next, body.consents], [past.patientId, null, []]);
        assert.deepEqual(body.sessions.map((each) => each.session.session_id), [past.held.id, past.cancelled.id, past.coming.id].sort());
        const held = body.sessions.find((each) => each.session.session_id === past.held.id);
        assert.equal(held.session.chief_complaint, 'Kopfschmerz, 頭痛 "stark"');
        assert.equal(held.session.session_notes, 'Ruhe, viel trinken.\nKontrolle in 7 Tagen.');
        assert.deepEqual(held.stays.map((each) => each.role).sort(), ['DOCTOR', 'PATIENT']);
        assert.ok(held.stays.every((each) => each.left_at));
        const mine = held.figures.find((each) => each.user_id === past.patientId);
        assert.deepEqual([mine.quality_reports, mine.audio_score, mine.issue_description], [1, 2, 'echo on the line']);
        const types = held.audit.map((each) => each.event_type);
        for (const type of ['SESSION_CREATED', 'USER_JOINED', 'SESSION_ENDED']) assert.ok(types.includes(type), type);
        const cancelled = body.sessions.find((each) => each.session.session_id === past.cancelled.id);
        assert.equal(cancelled.session.cancellation_reason, 'Kind krank');
    });

    test('FHIR: a bundle by the letter of R4', async () => {
        const past = await history();
        const answer = await world().client.get(exportOf(past.patientId, '?format=fhir'), past.patient);
        assert.equal(answer.status, 200);
        assert.match(answer.headers['content-type'], /^application\/fhir\+json/);
        const bundle = JSON.parse(answer.text);
        assertFhir(bundle);
        assert.deepEqual(resources(bundle, 'Appointment').map((each) => each.status).sort(), ['booked', 'cancelled', 'fulfilled']);
        const encounter = resources(bundle, 'Encounter').find((each) => each.id === past.held.id);
        assert.deepEqual([encounter.class.code, encounter.status], ['VR', 'finished']);
        assert.ok(encounter.period.start && encounter.period.end);
        assert.equal(encounter.reasonCode[0].text, 'Kopfschmerz, 頭痛 "stark"');
        const [notes] = resources(bundle, 'DocumentReference');
        assert.equal(Buffer.from(notes.content[0].attachment.data, 'base64').toString(), 'Ruhe, viel trinken.\nKontrolle in 7 Tagen.');
        const audit = resources(bundle, 'AuditEvent');
        assert.ok(audit.some((each) => each.subtype[0].code === 'SESSION_CREATED' && each.action === 'C'));
        assert.equal(resources(bundle, 'Appointment').find((each) => each.id === past.cancelled.id).cancelationReason.text, 'Kind krank');
        assert.equal(bundle.link.find((each) => each.relation === 'next'), undefined);
    });

    test('pages follow each other by their link, hold each session once, and end', async () => {
        const pair = world().pair();
        for (let n = 0; n < 7; ++n) await world().visit({}, pair);
        const seen = [];
        let target = exportOf(pair.patientId, '?limit=3');
        let pages = 0;
        for (; target; ++pages) {
            const { body } = await world().client.get(target, pair.patient);
            assert.ok(body.sessions.length <= 3);
            seen.push(...body.sessions.map((each) => each.session.session_id));
            target = body.next && new URL(body.next).pathname + new URL(body.next).search;
        }
        assert.deepEqual([pages, new Set(seen).size, seen.length], [3, 7, 7]);
        target = exportOf(pair.patientId, '?format=fhir&limit=4');
        const bundle = JSON.parse((await world().client.get(target, pair.patient)).text);
        assertFhir(bundle);
        const next = new URL(bundle.link.find((each) => each.relation === 'next').url);
        const rest = JSON.parse((await world().client.get(next.pathname + next.search, pair.patient)).text);
        assert.equal(resources(bundle, 'Encounter').length + resources(rest, 'Encounter').length, 7);
    });

    test('for the patient and administrators alone, and written down', async () => {
        const past = await history();
        const { client } = world();
        const other = world().pair();
        for (const token of [other.patient, past.doctor, world().token('DOCTOR', past.patientId)]) {
            assert.equal((await client.get(exportOf(past.patientId), token)).status, 403);
        }
        assert.equal((await client.get(exportOf(past.patientId))).status, 401);
        assert.equal((await client.get(exportOf(past.patientId), world().admin)).body.sessions.length, 3);
        const rows = await sql(world(), "select user_id from video_consultation_events where event_type = 'SESSIONS_LISTED'");
        assert.ok(rows.includes('admin-1'), rows.join());
        assert.deepEqual((await client.get(exportOf('nobody'), world().admin)).body.sessions, []);
    });

    test('what cannot be meant is refused, and any id is taken', async () => {
        const { client, admin } = { client: world().client, admin: world().admin };
        for (const query of ['?format=xml', '?limit=0', '?limit=101', '?limit=x']) {
            assert.equal((await client.request('GET', exportOf('34', query), { token: admin, careless: true })).status, 422, query);
        }
        const odd = 'Ärztin Ω/"1"';
        const token = world().token('PATIENT', odd);
        const booked = await client.post('/api/video/sessions', token, world().booking({ doctorId: '12', patientId: odd }));
        assert.equal(booked.status, 201);
        assertFhir(JSON.parse((await client.get(exportOf(odd, '?format=fhir'), token)).text));
    });
});
