// Who may do what, and the exact words of each refusal.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sign } from '../lib/tokens.js';
import { eachStore, sessions } from '../lib/world.js';

const admins = ['ADMIN', 'CLINIC_ADMIN', 'SYS_ADMIN'];
const others = ['PHARMACIST', 'SERVICE', 'doctor', 'NURSE'];
const eventsSecret = 'a secret of these tests';
const noAccess = 'You do not have access to this video consultation session';

const refused = (answer, status, detail) => assert.deepEqual([answer.status, answer.body], [status, { detail }]);
const allowed = (answer, status = 200) => assert.equal(answer.status, status, answer.text);

eachStore('access', (world) => {
    test('no, bad, expired and incomplete tokens: 401 everywhere, whatever else is wrong', async () => {
        const { client, server } = world();
        const visit = await world().visit();
        const now = Math.floor(Date.now() / 1000);
        const claims = { user_id: visit.doctorId, role: 'DOCTOR', exp: now + 60, iat: now };
        const bad = {
            'Not authenticated': [{}, { Authorization: '' }, { Authorization: 'Bearer' }, { 'X-User-ID': visit.doctorId, 'X-User-Role': 'ADMIN' }],
            'Invalid authentication credentials': [
                'Basic ZG9jdG9yOjEy',
                'Bearer nonsense',
                'Bearer a.b.c',
                `Bearer ${sign(claims, 'another secret')}`,
                `Bearer ${sign(claims, '', { alg: 'none', typ: 'JWT' })}`,
                `Bearer ${sign(claims, server.secret, { alg: 'HS512', typ: 'JWT' })}`,
                `Bearer ${sign({ ...claims, exp: now - 1 }, server.secret)}`,
                `Bearer ${sign({ ...claims, nbf: now + 3600 }, server.secret)}`,
            ].map((Authorization) => ({ Authorization })),
            'Invalid token payload': [
                { ...claims, user_id: undefined },
                { ...claims, role: undefined },
                { ...claims, user_id: '' },
                { ...claims, role: '' },
            ].map((each) => ({ Authorization: `Bearer ${sign(each, server.secret)}` })),
        };
        const requests = [
            ['POST', sessions], ['GET', sessions], ['GET', visit.path], ['POST', `${visit.path}/join`], ['POST', `${visit.path}/start`],
            ['POST', `${visit.path}/leave`], ['POST', `${visit.path}/end`], ['POST', `${visit.path}/cancel`], ['PUT', `${visit.path}/notes`],
            ['GET', `${visit.path}/events`], ['GET', `${sessions}/doctor/${visit.doctorId}`], ['GET', `${sessions}/patient/${visit.patientId}`],
            ['GET', `${sessions}/by-appointment/${visit.id}`], ['POST', `${visit.path}/quality`],
            ['POST', `${visit.path}/transcription`], ['DELETE', `${visit.path}/transcription`],
            ['GET', '/api/video/metrics/usage'], ['GET', `${sessions}/no-such-session`], ['GET', `${sessions}?status=nonsense`],
        ];
        for (const [method, target] of requests) {
            for (const [detail, all] of Object.entries(bad)) {
                for (const headers of all) {
                    const answer = await client.request(method, target, { headers, ...(method === 'GET' ? {} : { text: '{"broken' }) });
                    refused(answer, 401, detail);
                    assert.equal(answer.headers['www-authenticate'], 'Bearer');
                }
            }
        }
        assert.equal((await visit.get()).body.status, 'SCHEDULED');
    });

    test('the scheme is bearer in any case; `sub` goes before `user_id`', async () => {
        const { client, server } = world();
        const visit = await world().visit();
        for (const scheme of ['bearer', 'BEARER', 'Bearer']) {
            allowed(await client.request('GET', visit.path, { headers: { Authorization: `${scheme} ${visit.doctor}` } }));
        }
        const claims = { role: 'DOCTOR', exp: Math.floor(Date.now() / 1000) + 60 };
        allowed(await client.get(visit.path, sign({ ...claims, sub: visit.doctorId, user_id: 'somebody' }, server.secret)));
        refused(await client.get(visit.path, sign({ ...claims, sub: 'somebody', user_id: visit.doctorId }, server.secret)), 403, noAccess);
    });

    test('booking: for oneself, admins for anybody, other roles not at all', async () => {
        const { client } = world();
        const pair = world().pair();
        const stranger = world().pair();
        const book = (token, changes) => client.post(sessions, token, world().booking(pair, changes));
        allowed(await book(pair.doctor), 201);
        allowed(await book(pair.patient), 201);
        allowed(await book(pair.patient, { booking_type: 'CLINIC_BASED', appointment_id: world().newAppointment() }), 201);
        refused(await book(stranger.doctor), 403, 'Doctors can only create sessions for themselves');
        refused(await book(stranger.patient), 403, 'Patients can only create sessions for themselves');
        refused(await book(world().token('DOCTOR', pair.patientId)), 403, 'Doctors can only create sessions for themselves');
        for (const role of admins) allowed(await book(world().token(role, 'boss')), 201);
        for (const role of others) {
            refused(await book(world().token(role, pair.doctorId)), 403, 'Only doctors, patients and administrators can create sessions');
        }
    });

    test('reading a session and its trail: its people and admins', async () => {
        const visit = await world().visit();
        const stranger = world().pair();
        for (const read of [visit.get, visit.events]) {
            for (const token of [visit.doctor, visit.patient, ...admins.map((role) => world().token(role, 'boss'))]) allowed(await read(token));
            for (const token of [stranger.doctor, stranger.patient, world().token('PATIENT', visit.doctorId),
                world().token('DOCTOR', visit.patientId), ...others.map((role) => world().token(role, visit.doctorId))]) {
                refused(await read(token), 403, noAccess);
            }
        }
    });

    test('joining: the two people only', async () => {
        const visit = await world().visit();
        const stranger = world().pair();
        for (const token of [stranger.doctor, stranger.patient, world().token('PATIENT', visit.doctorId), world().token('SERVICE', visit.doctorId)]) {
            refused(await visit.join(token), 403, noAccess);
        }
        refused(await visit.join(world().admin), 403, 'You are not authorized to join this session');
        assert.equal((await visit.get()).body.status, 'SCHEDULED');
        allowed(await visit.join(visit.patient));
        allowed(await visit.join(visit.doctor));
        const cancelled = await (await world().visit()).to('CANCELLED');
        refused(await cancelled.join(cancelled.patient), 400, 'This session has been cancelled');
        const completed = await (await world().visit()).to('COMPLETED');
        refused(await completed.join(completed.doctor), 400, 'This session has already been completed');
    });

    test('starting: the doctor, who joins, and admins, who do not', async () => {
        const visit = await world().visit();
        const no = 'Only the doctor or admin can start the session';
        for (const token of [visit.patient, world().pair().doctor, world().token('PHARMACIST', visit.doctorId)]) refused(await visit.start(token), 403, no);
        const prepared = await visit.start(world().admin);
        allowed(prepared);
        assert.equal(prepared.body.status, 'SCHEDULED');
        assert.ok(prepared.body.meeting_id);
        assert.deepEqual(prepared.body.attendees, []);
        const started = await visit.start(visit.doctor);
        allowed(started);
        assert.equal(started.body.meeting_id, prepared.body.meeting_id);
        assert.equal(started.body.attendee.role, 'DOCTOR');
        assert.equal((await visit.get()).body.status, 'WAITING');
        refused(await visit.start(visit.doctor), 400, 'Cannot start session with status: WAITING');
    });

    test('leaving: its people; admins without effect', async () => {
        const visit = await (await world().visit()).to('ACTIVE');
        refused(await visit.leave(world().pair().doctor), 403, noAccess);
        const before = (await visit.get()).body;
        const admin = await visit.leave(world().admin);
        allowed(admin);
        assert.deepEqual({ ...admin.body, duration_minutes: 0 }, { ...before, duration_minutes: 0 });
        const left = (await visit.leave(visit.patient)).body;
        assert.equal(left.status, 'ACTIVE');
        assert.ok(left.patient_left_at);
        assert.deepEqual(left.attendees.map((each) => each.connected), [true, false]);
    });

    test('ending: the doctor and admins', async () => {
        const visit = await (await world().visit()).to('ACTIVE');
        const no = 'Only the doctor or admin can end the session';
        for (const token of [visit.patient, world().pair().doctor, world().token('SERVICE', visit.doctorId)]) refused(await visit.end(token), 403, no);
        allowed(await visit.end(visit.doctor));
        refused(await visit.end(world().admin), 400, 'Session already completed');
        for (const role of admins) {
            const another = await world().visit();
            allowed(await another.end(world().token(role, 'boss')));
        }
        const cancelled = await (await world().visit()).to('CANCELLED');
        refused(await cancelled.end(cancelled.doctor), 400, 'Session already cancelled');
    });

    test('cancelling: its people and admins, before it is active', async () => {
        refused(await (await world().visit()).cancel(world().pair().patient), 403, noAccess);
        for (const [status, by] of [['SCHEDULED', 'doctor'], ['SCHEDULED', 'patient'], ['WAITING', 'patient'], ['WAITING', 'doctor']]) {
            const visit = await (await world().visit()).to(status);
            const cancelled = await visit.cancel(visit[by]);
            allowed(cancelled);
            assert.equal(cancelled.body.status, 'CANCELLED');
            assert.equal(cancelled.body.cancelled_by, visit[`${by}Id`]);
            assert.equal(cancelled.body.cancellation_reason, 'The patient cannot come.');
            assert.equal(cancelled.body.cancelled_at, cancelled.body.updated_at);
            assert.equal(cancelled.body.actual_end_time, null);
        }
        const byAdmin = await (await world().visit()).cancel(world().admin);
        allowed(byAdmin);
        assert.equal(byAdmin.body.cancelled_by, 'admin-1');
        for (const status of ['ACTIVE', 'COMPLETED', 'CANCELLED']) {
            const visit = await (await world().visit()).to(status);
            refused(await visit.cancel(visit.patient), 400, `Cannot cancel session with status: ${status}`);
        }
    });

    test('notes: the assigned doctor alone, at any time', async () => {
        for (const status of ['SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED']) {
            const visit = await (await world().visit()).to(status);
            const no = 'Only the assigned doctor can update notes';
            for (const token of [visit.patient, world().admin, world().pair().doctor, world().token('PATIENT', visit.doctorId)]) {
                refused(await visit.notes(token, 'x'), 403, no);
            }
            const written = await visit.notes(visit.doctor, `while ${status}`);
            allowed(written);
            assert.equal(written.body.session_notes, `while ${status}`);
            assert.equal(written.body.status, status);
        }
    });

    test('lists of a person: that person and admins', async () => {
        const { client } = world();
        const visit = await world().visit();
        const no = 'You can only view your own sessions';
        const doctors = `${sessions}/doctor/${visit.doctorId}`;
        const patients = `${sessions}/patient/${visit.patientId}`;
        for (const [target, own] of [[doctors, visit.doctor], [patients, visit.patient]]) {
            const answer = await client.get(target, own);
            allowed(answer);
            assert.deepEqual(answer.body.sessions.map((each) => each.session_id), [visit.id]);
            allowed(await client.get(target, world().admin));
            refused(await client.get(target, world().pair().doctor), 403, no);
            refused(await client.get(target, world().pair().patient), 403, no);
        }
        refused(await client.get(doctors, visit.patient), 403, no);
    });

    test('the list is for everybody with a token', async () => {
        for (const role of ['DOCTOR', 'PATIENT', ...admins, ...others]) allowed(await world().client.get(sessions, world().token(role, 'anybody')));
    });

    test('the session of an appointment: its people and admins', async () => {
        const { client } = world();
        const appointment = world().newAppointment();
        const visit = await world().visit({ booking_type: 'CLINIC_BASED', appointment_id: appointment });
        const target = `${sessions}/by-appointment/${appointment}`;
        for (const token of [visit.doctor, visit.patient, ...admins.map((role) => world().token(role, 'boss'))]) {
            const found = await client.get(target, token);
            allowed(found);
            assert.equal(found.body.session_id, visit.id);
        }
        const stranger = world().pair();
        for (const token of [stranger.doctor, stranger.patient, ...others.map((role) => world().token(role, visit.doctorId))]) {
            refused(await client.get(target, token), 403, noAccess);
        }
        for (const id of world().passable([world().newAppointment(), visit.id, '%00', '%ff', 'x'.repeat(200)])) {
            refused(await client.get(`${sessions}/by-appointment/${id}`, visit.doctor), 404, 'Video consultation session not found');
        }
        // A cancelled session makes room for the next.
        await visit.cancel(visit.patient);
        refused(await client.get(target, visit.doctor), 404, 'Video consultation session not found');
    });

    test('joining and starting by the id of the appointment', async () => {
        const { client } = world();
        const appointment = world().newAppointment();
        const visit = await world().visit({ booking_type: 'CLINIC_BASED', appointment_id: appointment });
        const joined = await client.post(`${sessions}/${appointment}/join`, visit.patient, {});
        allowed(joined);
        assert.equal(joined.body.session_id, visit.id);
        refused(await client.post(`${sessions}/${appointment}/join`, world().pair().patient, {}), 403, noAccess);
        const another = await world().visit({ booking_type: 'CLINIC_BASED', appointment_id: world().newAppointment() });
        const started = await client.request('POST', `${sessions}/${another.booked.appointment_id}/start`, { token: another.doctor });
        allowed(started);
        assert.equal(started.body.session_id, another.id);
    });

    test('transcription: the doctor alone, in a meeting, and at Chime only', async () => {
        const { client } = world();
        const visit = await world().visit();
        const target = `${visit.path}/transcription`;
        const ask = [(token) => client.request('POST', target, { token }), (token) => client.delete(target, token)];
        for (const act of ask) {
            refused(await act(visit.doctor), 409, 'The session has no running meeting');
            for (const token of [visit.patient, world().admin, world().pair().doctor]) {
                refused(await act(token), 403, 'Only the assigned doctor can transcribe the session');
            }
        }
        await visit.to('ACTIVE');
        for (const act of ask) refused(await act(visit.doctor), 501, "Transcription needs AWS Chime; this meeting runs on the service's own server");
        refused(await client.post(target, visit.doctor, { language_code: 'de-DE' }), 501, "Transcription needs AWS Chime; this meeting runs on the service's own server");
        assert.equal((await client.post(target, visit.doctor, { language_code: 'xx', medical: 1 })).body.detail.length, 2);
        refused(await client.request('POST', `${sessions}/nobody/transcription`, { token: visit.doctor }), 404, 'Video consultation session not found');
    });

    test("figures of the call: the session's people, once they have joined", async () => {
        const { client } = world();
        const visit = await world().visit();
        const report = (token) => client.post(`${visit.path}/quality`, token, { audio_quality_score: 5 });
        refused(await report(visit.patient), 409, 'Quality can be reported once you have joined the session');
        await visit.join(visit.patient);
        allowed(await report(visit.patient), 204);
        refused(await report(visit.doctor), 409, 'Quality can be reported once you have joined the session');
        refused(await report(world().admin), 403, 'You are not authorized to join this session');
        refused(await report(world().pair().patient), 403, noAccess);
        refused(await client.post(`${sessions}/nobody/quality`, visit.patient, { audio_quality_score: 5 }), 404, 'Video consultation session not found');
    });

    test("Chime's notifications: whoever has the secret", async () => {
        const { client } = world();
        const target = '/api/video/chime/events';
        const send = (headers, body = {}) => client.request('POST', target, { headers, body });
        for (const headers of [{}, { 'X-Api-Key': 'x' }, { Authorization: 'Basic YXdzOng=' }, { Authorization: `Bearer ${world().admin}` }]) {
            refused(await send(headers), 401, 'Not authenticated');
        }
        const basic = `Basic ${Buffer.from(`aws:${eventsSecret}`).toString('base64')}`;
        for (const headers of [{ 'X-Api-Key': eventsSecret }, { Authorization: basic }]) {
            const answer = await send(headers);
            allowed(answer, 202);
            assert.deepEqual(answer.body, { accepted: 0 });
        }
        const ended = {
            id: 'e-1', 'detail-type': 'Chime Meeting State Change', source: 'aws.chime', time: '2026-01-25T14:00:00Z',
            detail: { eventType: 'chime:MeetingEnded', timestamp: Date.now(), meetingId: 'somebody-elses' },
        };
        assert.deepEqual((await send({ 'X-Api-Key': eventsSecret }, [ended, ended, { nonsense: 1 }])).body, { accepted: 2 });
        assert.equal((await client.request('POST', target, { headers: { 'X-Api-Key': eventsSecret }, text: '{"broken' })).status, 422);
    });

    test('a token is renewed for people in a running session', async () => {
        const { client } = world();
        const visit = await (await world().visit()).to('WAITING');
        for (const token of [visit.patient, visit.doctor]) {
            const answer = await client.request('POST', '/api/video/auth/refresh-token', { token });
            allowed(answer);
            allowed(await visit.get(answer.body.access_token));
        }
    });

    test('usage figures: doctors and admins', async () => {
        const { client } = world();
        const target = '/api/video/metrics/usage';
        for (const role of ['DOCTOR', ...admins]) allowed(await client.get(target, world().token(role, '1')));
        for (const role of ['PATIENT', ...others]) {
            refused(await client.get(target, world().token(role, '1')), 403, 'Only doctors and administrators can see usage figures');
        }
    });

    test('a session that does not exist is 404 for everybody, and never 422', async () => {
        const { client } = world();
        const detail = 'Video consultation session not found';
        for (const id of world().passable(['54a780e9-cdea-473a-ad93-801d19d54ff4', 'no-uuid', '1', '%00', '%ff%fe', "'%20or%201=1--", 'x'.repeat(3000), '%F0%9F%98%80'])) {
            for (const token of [world().admin, world().token('DOCTOR', '1'), world().token('PHARMACIST', '1')]) {
                refused(await client.get(`${sessions}/${id}`, token), 404, detail);
                refused(await client.get(`${sessions}/${id}/events`, token), 404, detail);
            }
            const token = world().admin;
            for (const [action, body] of [['join', {}], ['start', undefined], ['leave', undefined], ['end', {}], ['cancel', { cancellation_reason: 'No longer needed.' }]]) {
                refused(await client.post(`${sessions}/${id}/${action}`, token, body), 404, detail);
            }
            refused(await client.put(`${sessions}/${id}/notes`, token, { session_notes: 'x' }), 404, detail);
        }
    });

    test('every operation of the document was used here, with success, or has a file of its own', () => {
        const { client } = world();
        const elsewhere = {
            'waiting_room.test.mjs': /\/waiting-room/, 'invitations.test.mjs': /\/invitations/, 'consent.test.mjs': /\/consent$/, 'stream.test.mjs': /\/stream$/, 'export.test.mjs': /\/export$/, 'reschedule.test.mjs': /^patch /,
        };
        const here = readdirSync(dirname(fileURLToPath(import.meta.url)));
        for (const file of Object.keys(elsewhere)) assert.ok(here.includes(file), file);
        const used = new Set([...client.seen].filter((each) => / 20\d$/.test(each)).map((each) => each.replace(/ \d+$/, '')));
        for (const [path, item] of Object.entries(client.document.paths)) {
            // Transcription succeeds at Chime only.
            if (!path.startsWith('/api/video') || path.endsWith('/transcription')) continue;
            for (const method of Object.keys(item)) {
                if (Object.values(elsewhere).some((pattern) => pattern.test(`${method} ${path}`))) continue;
                assert.ok(used.has(`${method.toUpperCase()} ${path}`), `${method} ${path}`);
            }
        }
    });
}, { env: { CHIME_EVENTS_SECRET: eventsSecret } });
