// Versioned consent: asked of patients before a call, recorded once and for all.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { programPath } from '../lib/server.js';
import { sql } from '../lib/time_travel.js';
import { eachStore, World } from '../lib/world.js';

const folder = mkdtempSync(join(tmpdir(), 'vc-consent-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const text = '# Consent to a video consultation\n\nI agree. Ich stimme zu, größtenteils.\n';
const file = join(folder, 'consent.md');
writeFileSync(file, text);
const sha256 = createHash('sha256').update(text).digest('hex');
const path = '/api/video/consent';

eachStore(
    'consent',
    (world) => {
        const give = (token, body) => world().client.post(path, token, { version: '2026-01', ...body });

        test('the text, for everybody with a token; to patients also whether they have agreed', async () => {
            const { doctor, patient } = world().pair();
            const asked = await world().client.get(path, patient);
            assert.deepEqual([asked.status, asked.body], [200, { version: '2026-01', text, sha256, given: false, given_at: null }]);
            assert.equal((await world().client.get(path, doctor)).body.given, null);
            assert.equal((await world().client.get(path)).status, 401);
            const given = await give(patient);
            assert.equal(given.status, 201);
            assert.deepEqual((await world().client.get(path, patient)).body, {
                ...asked.body,
                given: true,
                given_at: given.body.given_at,
            });
        });

        test('no call without it; none of the doctor', async () => {
            const visit = await world().visit();
            const refused = await visit.join(visit.patient);
            assert.equal(refused.status, 428);
            assert.equal(refused.body.consent_version, '2026-01');
            assert.equal((await visit.get()).body.status, 'SCHEDULED');
            assert.equal((await visit.join(visit.doctor)).status, 200);
            assert.equal((await visit.join(visit.patient)).status, 428, 'the doctor is there');
            assert.equal((await give(visit.patient)).status, 201);
            assert.equal((await visit.join(visit.patient)).status, 200);
            assert.equal((await visit.get()).body.status, 'ACTIVE');
            const next = await world().visit({}, visit);
            assert.equal((await next.join(visit.patient)).status, 200, 'it holds for every visit');
            await next.cancel(visit.doctor).then((answer) => answer.status);
        });

        test('a closed session asks for nothing', async () => {
            const visit = await (await world().visit()).to('CANCELLED');
            assert.equal((await visit.join(visit.patient)).status, 400);
        });

        test('the first record stays', async () => {
            const visit = await world().visit();
            const first = await give(visit.patient, { session_id: visit.id });
            assert.deepEqual([first.status, first.body.session_id, first.body.sha256], [201, visit.id, sha256]);
            for (const body of [{}, { session_id: visit.id }]) {
                const again = await give(visit.patient, body);
                assert.deepEqual([again.status, again.body], [200, first.body]);
            }
            const trail = (await visit.events()).body.filter((each) => each.event_type === 'CONSENT_GIVEN');
            assert.deepEqual(trail.map((each) => each.user_id), [visit.patientId]);
        });

        test('many at once are one record', async () => {
            const visit = await world().visit();
            const answers = await Promise.all(Array.from({ length: 20 }, () => give(visit.patient)));
            assert.equal(answers.filter((each) => each.status === 201).length, 1);
            assert.equal(new Set(answers.map((each) => each.body.given_at)).size, 1);
        });

        test('refusals', async () => {
            const visit = await world().visit();
            const stranger = world().pair();
            const wrong = await give(visit.patient, { version: '2025-12' });
            assert.deepEqual([wrong.status, wrong.body.consent_version], [409, '2026-01']);
            assert.equal((await give(visit.doctor)).status, 403);
            assert.equal((await give(world().admin)).status, 403);
            assert.equal((await give(stranger.patient, { session_id: visit.id })).status, 403);
            assert.equal((await give(visit.patient, { session_id: 'nothing' })).status, 404);
            assert.equal((await give(undefined)).status, 401);
            for (const body of [{ version: '' }, { version: 'x'.repeat(65) }, { version: 7 }, { session_id: '' }, { version: null }]) {
                assert.equal((await give(visit.patient, body)).status, 422, JSON.stringify(body));
            }
            assert.equal((await world().client.get(path, visit.patient)).body.given, false);
            assert.equal((await world().client.get(path, stranger.patient)).body.given, false);
        });

        test('the record says where from; nobody changes or removes it, not even in the database', async () => {
            const { patient, patientId } = world().pair();
            const given = await world().client.post(path, patient, { version: '2026-01' }, { 'X-Request-ID': 'consent-7' });
            assert.equal(given.status, 201);
            const table = 'video_consultation_consents';
            const where = `where patient_id = '${patientId}'`;
            const query = (statement) => sql(world(), statement);
            assert.deepEqual(await query(`select address || ' ' || request_id || ' ' || text_sha256 from ${table} ${where}`), [
                `127.0.0.1 consent-7 ${sha256}`,
            ]);
            for (const statement of [`update ${table} set version = '2' ${where}`, `delete from ${table} ${where}`]) {
                await assert.rejects(query(statement), /consents are only ever added/);
            }
            if (world().postgres) await assert.rejects(query(`truncate ${table}`), /consents are only ever added/);
            assert.deepEqual(await query(`select version from ${table} ${where}`), ['2026-01']);
        });
    },
    { env: { CONSENT_VERSION: '2026-01', CONSENT_TEXT_FILE: file } },
);

describe('consent by configuration', () => {
    test('a new version is asked for anew, the old record stays', async () => {
        const env = { CONSENT_VERSION: '1', CONSENT_TEXT_FILE: file };
        const world = await World.open({ env });
        try {
            const visit = await world.visit();
            assert.equal((await world.client.post(path, visit.patient, { version: '1' })).status, 201);
            await world.server.terminate();
            world.server.env.CONSENT_VERSION = '2';
            await world.server.boot();
            const refused = await visit.join(visit.patient);
            assert.deepEqual([refused.status, refused.body.consent_version], [428, '2']);
            assert.equal((await world.client.post(path, visit.patient, { version: '1' })).status, 409);
            assert.equal((await world.client.post(path, visit.patient, { version: '2' })).status, 201);
            assert.equal((await visit.join(visit.patient)).status, 200);
        } finally {
            await world.close();
        }
    });

    test('without it nothing is asked', async () => {
        const world = await World.open();
        try {
            const visit = await world.visit();
            assert.equal((await world.client.get(path, visit.patient)).status, 404);
            assert.equal((await world.client.post(path, visit.patient, { version: '1' })).status, 404);
            assert.equal((await visit.join(visit.patient)).status, 200);
        } finally {
            await world.close();
        }
    });

    test('half of it is refused at start', () => {
        for (const env of [{ CONSENT_VERSION: '1' }, { CONSENT_TEXT_FILE: file }, { CONSENT_VERSION: '1', CONSENT_TEXT_FILE: join(folder, 'none') }]) {
            const run = spawnSync(programPath, [], { cwd: folder, env: { PATH: process.env.PATH, ...env }, encoding: 'utf8', timeout: 20_000 });
            assert.notEqual(run.status, 0);
            assert.match(run.stderr + run.stdout, /CONSENT_(VERSION|TEXT_FILE): expected/);
        }
    });
});
