// Profile and appointments over HTTP, and tokens that run out in mid-call.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { inNeighbourhood } from '../lib/neighbourhood.js';
import { appointmentOf } from '../lib/platform.js';
import { sign } from '../lib/tokens.js';
import { eventually, sessions } from '../lib/world.js';

/** What a slow neighbour may cost, and what the machine may add. */
const LIMIT = 150 + 60;

const named = ({ doctor_name, doctor_specialty, patient_name, clinic_name }) => [doctor_name, doctor_specialty, patient_name, clinic_name];
const nobody = [null, null, null, null];

inNeighbourhood('names of people and clinics', { profile: true }, (here) => {
    const known = async (changes) => {
        const { profile, world } = here();
        const pair = world.pair();
        profile.addDoctor(pair.doctorId, { firstName: 'Ada', lastName: 'Lovelace', specialty: 'Cardiology' });
        profile.addPatient(pair.patientId, { firstName: 'Paul', lastName: 'Dirac' });
        profile.addClinic(4, { name: 'Heart Clinic' });
        return await world.visit({ clinic_id: 4, ...changes }, pair);
    };
    const full = ['Ada Lovelace', 'Cardiology', 'Paul Dirac', 'Heart Clinic'];

    test('are in every answer that shows a session', async () => {
        const { client, world, profile } = here();
        const visit = await known();
        await eventually(async () => named((await visit.get()).body).every(Boolean), 'the names are known');
        assert.deepEqual(named((await visit.get()).body), full);
        for (const path of [sessions, `${sessions}/doctor/${visit.doctorId}`]) {
            assert.deepEqual(named((await client.get(path, visit.doctor)).body.sessions[0]), full, path);
        }
        assert.deepEqual(named((await visit.leave(visit.patient)).body), full);
        assert.deepEqual(named((await visit.end(visit.doctor)).body), full);
        const asked = profile.requests.filter((each) => each.path === '/patient/me' && each.headers['x-user-id'] === visit.patientId);
        assert.ok(asked.length >= 1);
        assert.ok(asked.every((each) => each.headers['x-user-role'] === 'PATIENT'));
        assert.equal(world.server.log.includes('Dirac'), false);
    });

    test('are asked for once, not with every request', async () => {
        const visit = await known();
        await eventually(async () => named((await visit.get()).body).every(Boolean), 'the names are known');
        const before = here().profile.requests.length;
        await Promise.all(Array.from({ length: 50 }, () => visit.get()));
        assert.equal(here().profile.requests.length, before);
    });

    test('are null for whom nobody knows, and without a clinic', async () => {
        const visit = await here().world.visit();
        assert.deepEqual(named(visit.booked), nobody);
        assert.deepEqual(named((await visit.get()).body), nobody);
    });

    for (const [name, trouble, recovery] of [
        ['slow', (profile) => (profile.delay = 600), (profile) => (profile.delay = 0)],
        ['silent', (profile) => (profile.silent = true), (profile) => (profile.silent = false)],
        ['failing', (profile) => (profile.failing = true), (profile) => (profile.failing = false)],
        ['down', (profile) => profile.down(), (profile) => profile.up()],
    ]) {
        test(`a profile service that is ${name} costs no request more than 150 ms, and fails none`, async (t) => {
            const { profile, world, client } = here();
            const visits = await Promise.all(Array.from({ length: 12 }, () => known()));
            const strangers = await Promise.all(Array.from({ length: 12 }, () => world.visit({ clinic_id: 5 })));
            const took = [];
            const timed = async (act) => {
                const begun = performance.now();
                const answer = await act();
                took.push(performance.now() - begun);
                assert.ok(answer.status < 300, answer.text);
                return answer;
            };
            await trouble(profile);
            try {
                for (const each of [...visits, ...strangers]) await timed(() => each.get());
                await timed(() => client.get(sessions, world.admin));
                await timed(() => visits[0].join(visits[0].patient));
                for (let i = 0; i < 3; ++i) {
                    const pair = world.pair();
                    const booked = await timed(() => client.post(sessions, pair.patient, world.booking(pair)));
                    await timed(() => client.get(`${sessions}/${booked.body.session_id}`, pair.patient));
                }
            } finally {
                await recovery(profile);
            }
            t.diagnostic(`longest ${Math.max(...took).toFixed(0)} ms`);
            assert.ok(Math.max(...took) < LIMIT, `${Math.max(...took)} ms`);
            const late = await known();
            await eventually(async () => named((await late.get()).body).join() === full.join(), 'the names are known again', 30_000);
        });
    }
});

inNeighbourhood('without a profile service', {}, (here) => {
    test('names are null', async () => assert.deepEqual(named((await here().world.visit()).booked), nobody));
});

inNeighbourhood('appointments that are looked up', { appointments: true, env: { VERIFY_APPOINTMENTS: 'true', DEFAULT_TIME_ZONE: 'Asia/Colombo' } }, (here) => {
    const appointment = (pair, changes = {}) =>
        here().appointments.add(appointmentOf({ doctorId: pair.doctorId, patientId: pair.patientId, time: new Date('2096-01-25T14:00:00Z'), changes }));
    const book = (pair, { appointmentId }, changes = {}, token = pair.patient) =>
        here().client.post(sessions, token, here().world.booking(pair, { booking_type: 'CLINIC_BASED', appointment_id: appointmentId, ...changes }));

    test('a virtual one of these two is booked', async () => {
        const pair = here().world.pair();
        const booked = await book(pair, appointment(pair));
        assert.equal(booked.status, 201, booked.text);
    });

    test('D2: one that is not there, not virtual, cancelled, or of other people is refused', async () => {
        const { world } = here();
        const pair = world.pair();
        const stranger = world.pair();
        for (const [what, status] of [
            [{ appointmentId: randomUUID() }, 422],
            [appointment(pair, { appointmentType: 'IN_PERSON' }), 422],
            [appointment(pair, { status: 'CANCELLED' }), 422],
            [appointment({ ...pair, patientId: stranger.patientId }), 403],
            [appointment({ ...pair, doctorId: stranger.doctorId }), 403],
        ]) {
            const refused = await book(pair, what);
            assert.equal(refused.status, status, refused.text);
            assert.ok(refused.body.detail);
        }
        // The doctor of another appointment, naming its patient as if they were theirs.
        assert.equal((await book({ ...pair, doctorId: stranger.doctorId }, appointment(pair), {}, stranger.doctor)).status, 403);
        for (const role of ['PHARMACIST', 'SERVICE', 'NURSE']) {
            assert.equal((await book(pair, appointment(pair), {}, world.token(role, pair.doctorId))).status, 403);
        }
        assert.equal((await here().client.get(sessions, pair.patient)).body.total, 0);
    });

    test('doctor, patient and time are taken from the appointment when they are left out', async () => {
        const { client, world } = here();
        const pair = world.pair();
        const { appointmentId } = appointment(pair, { chiefComplaint: 'Follow-up' });
        const headers = { Authorization: `Bearer ${pair.patient}`, 'Content-Type': 'application/json' };
        const answer = await client.exchange('POST', sessions, headers, JSON.stringify({ booking_type: 'CLINIC_BASED', appointment_id: appointmentId }));
        assert.equal(answer.status, 201, answer.text);
        const booked = JSON.parse(answer.text);
        assert.deepEqual([booked.doctor_id, booked.patient_id, booked.scheduled_start_time], [pair.doctorId, pair.patientId, '2096-01-25T08:30:00Z']);
        // Whoever is not one of the two gets nothing by leaving things out.
        const other = world.pair();
        const stolen = await client.exchange('POST', sessions, { ...headers, Authorization: `Bearer ${other.patient}` }, JSON.stringify({ booking_type: 'CLINIC_BASED', appointment_id: appointmentId }));
        assert.equal(stolen.status, 403, stolen.text);
        assert.ok(!stolen.text.includes(pair.doctorId));
    });

    test('while the appointments service is down, nothing is booked unseen, and the client may come again', async () => {
        const { appointments, world } = here();
        const pair = world.pair();
        const mine = appointment(pair);
        await appointments.down();
        const refused = await book(pair, mine);
        assert.ok([502, 503, 504].includes(refused.status), refused.text);
        assert.equal((await world.visit({}, pair)).booked.status, 'SCHEDULED', 'a booking without an appointment goes on');
        await appointments.up();
        await eventually(async () => (await book(pair, mine)).status === 201, 'it is booked', 30_000);
    });
});

inNeighbourhood('by appointment', {}, (here) => {
    test('the session is found, started and joined by those who may', async () => {
        const { client, world } = here();
        const pair = world.pair();
        const appointmentId = world.newAppointment();
        const visit = await world.visit({ booking_type: 'CLINIC_BASED', appointment_id: appointmentId }, pair);
        const find = (token, id = appointmentId) => client.get(`${sessions}/by-appointment/${id}`, token);
        for (const token of [pair.patient, pair.doctor, world.admin]) assert.equal((await find(token)).body.session_id, visit.id);
        assert.equal((await find(world.pair().patient)).status, 403);
        assert.equal((await find(undefined)).status, 401);
        assert.equal((await find(pair.patient, randomUUID())).status, 404);
        const started = await client.request('POST', `${sessions}/${appointmentId}/start`, { token: pair.doctor });
        assert.deepEqual([started.status, started.body.session_id], [200, visit.id], started.text);
        const joined = await client.post(`${sessions}/${appointmentId}/join`, pair.patient, {});
        assert.deepEqual([joined.status, joined.body.session_id, joined.body.meeting_id], [200, visit.id, started.body.meeting_id]);
        assert.equal((await client.post(`${sessions}/${appointmentId}/join`, world.pair().patient, {})).status, 403);
    });

    test('of several sessions of one appointment it is the one that was not cancelled', async () => {
        const { client, world } = here();
        const pair = world.pair();
        const appointmentId = world.newAppointment();
        const first = await world.visit({ booking_type: 'CLINIC_BASED', appointment_id: appointmentId }, pair);
        await first.cancel(pair.patient);
        const second = await world.visit({ booking_type: 'CLINIC_BASED', appointment_id: appointmentId }, pair);
        assert.equal((await client.get(`${sessions}/by-appointment/${appointmentId}`, pair.patient)).body.session_id, second.id);
    });
});

describe('a token that runs out in mid-call', () => {
    const path = '/api/video/auth/refresh-token';
    inNeighbourhood('with thirty minutes of grace', { env: { REFRESH_GRACE_MINUTES: '30' } }, (here) => {
        const renew = (token) => here().client.request('POST', path, { token });
        const expired = (role, id, minutes) => here().world.server.token(role, id, -minutes * 60);

        test('is renewed for those in a running visit', async () => {
            const { world, client } = here();
            for (const status of ['WAITING', 'ACTIVE']) {
                const visit = await (await world.visit()).to(status);
                for (const [role, id] of [['PATIENT', visit.patientId], ['DOCTOR', visit.doctorId]]) {
                    for (const minutes of [-5, 1, 29]) {
                        const answer = await renew(expired(role, id, minutes));
                        assert.equal(answer.status, 200, answer.text);
                        const { access_token: token, token_type: type, expires_at: expires, user } = answer.body;
                        assert.equal(type, 'bearer');
                        assert.ok(Date.parse(expires) > Date.now() + 60_000);
                        assert.deepEqual([user.user_id, user.role], [id, role]);
                        assert.equal((await client.get(visit.path, token)).status, 200);
                        const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
                        assert.deepEqual([claims.sub, claims.user_id, claims.role], [id, id, role]);
                        assert.equal(claims.exp, Math.floor(Date.parse(expires) / 1000));
                    }
                }
            }
        });

        test('never later than that, never for others, never for a visit that is over or has not begun', async () => {
            const { world } = here();
            const visit = await (await world.visit()).to('ACTIVE');
            assert.equal((await renew(expired('PATIENT', visit.patientId, 31))).status, 401);
            assert.equal((await renew(expired('PATIENT', 'nobody-in-a-visit', 1))).status, 403);
            // The doctor's id does not make a patient of them.
            assert.equal((await renew(expired('PATIENT', visit.doctorId, 1))).status, 403);
            for (const role of ['CLINIC_ADMIN', 'SYS_ADMIN', 'SERVICE']) assert.equal((await renew(expired(role, visit.doctorId, 1))).status, 403);
            await visit.end(visit.doctor);
            assert.equal((await renew(expired('PATIENT', visit.patientId, 1))).status, 403);
            const scheduled = await world.visit();
            assert.equal((await renew(expired('PATIENT', scheduled.patientId, 1))).status, 403);
        });

        test('only when it is good in every other respect', async () => {
            const { world, client } = here();
            const visit = await (await world.visit()).to('ACTIVE');
            const exp = Math.floor(Date.now() / 1000) - 60;
            const claims = { user_id: visit.patientId, role: 'PATIENT', exp, iat: exp - 3600 };
            const { secret } = world.server;
            const forged = [
                sign(claims, 'another secret, long enough for HS256 as well'),
                sign(claims, secret, { alg: 'none', typ: 'JWT' }),
                sign(claims, secret, { alg: 'HS512', typ: 'JWT' }),
                sign({ ...claims, exp: undefined }, secret),
                sign({ ...claims, user_id: undefined }, secret),
                sign({ ...claims, role: undefined }, secret),
                'rubbish',
            ];
            for (const token of forged) {
                const refused = await renew(token);
                assert.equal(refused.status, 401, token);
                assert.ok(refused.headers['www-authenticate']);
            }
            const none = await client.request('POST', path);
            assert.deepEqual([none.status, none.body.detail], [401, 'Missing or invalid authorization header']);
            assert.equal((await renew(sign(claims, secret))).status, 200);
        });
    });

    inNeighbourhood('with one minute of grace', { env: { REFRESH_GRACE_MINUTES: '1' } }, (here) => {
        test('it is as configured', async () => {
            const visit = await (await here().world.visit()).to('ACTIVE');
            const renew = (seconds) => here().client.request('POST', path, { token: here().world.server.token('PATIENT', visit.patientId, -seconds) });
            assert.equal((await renew(30)).status, 200);
            assert.equal((await renew(90)).status, 401);
        });
    });
});
