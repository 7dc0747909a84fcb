// PREVENT_OVERLAP: nobody is booked for two visits at the same time, whoever comes first, in whichever process.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '../lib/client.js';
import { Server } from '../lib/server.js';
import { eachStore, sessions, World } from '../lib/world.js';

const env = { PREVENT_OVERLAP: 'true' };
const start = Date.UTC(2031, 4, 1, 8);
const at = (minutes) => new Date(start + minutes * 60_000).toISOString().replace('.000Z', 'Z');
const rounds = Number(process.env.RACE_ROUNDS ?? 30);
let people = 700_000;

/** Bookings by an administrator, who may book for anybody. */
const book = (world, doctor_id, patient_id, minute, changes = {}, client = world.client) =>
    client.post(sessions, world.admin, { booking_type: 'DIRECT_DOCTOR', doctor_id, patient_id, scheduled_start_time: at(minute), ...changes });
const move = (world, session, minute, client = world.client) =>
    client.request('PATCH', `${sessions}/${session}`, { token: world.admin, body: { scheduled_start_time: at(minute) }, headers: { 'If-Match': '*' } });
const fresh = () => String(people++);

/** Live sessions of a person in their order; no two of them overlap. */
async function assertNoOverlap(world, role, person) {
    const { body } = await world.client.get(`${sessions}/${role}/${person}?page_size=100`, world.admin);
    const live = body.sessions
        .filter((each) => ['SCHEDULED', 'WAITING', 'ACTIVE'].includes(each.status))
        .sort((a, b) => a.scheduled_start_time.localeCompare(b.scheduled_start_time));
    for (let i = 1; i < live.length; ++i) {
        assert.ok(live[i - 1].scheduled_end_time <= live[i].scheduled_start_time, `${live[i - 1].scheduled_end_time} > ${live[i].scheduled_start_time}`);
    }
    return live;
}

eachStore(
    'no two visits at once',
    (world) => {
        test('of a doctor, of a patient; touching is fine', async () => {
            const [doctor, patient] = [fresh(), fresh()];
            assert.equal((await book(world(), doctor, patient, 0)).status, 201);
            for (const [d, p, minute, status] of [
                [doctor, fresh(), 0, 409], [doctor, fresh(), 29, 409], [doctor, fresh(), -29, 409],
                [fresh(), patient, 10, 409], [doctor, patient, 5, 409],
                [doctor, fresh(), 30, 201], [fresh(), patient, -30, 201], [fresh(), fresh(), 0, 201],
            ]) {
                const answer = await book(world(), d, p, minute);
                assert.equal(answer.status, status, `${minute} ${answer.text}`);
                if (status === 409) assert.equal(answer.body.detail, 'The doctor or the patient has another visit at this time');
            }
            assert.equal((await book(world(), doctor, fresh(), 45, { consultation_duration_minutes: 120 })).status, 409, 'begins in another');
            assert.equal((await book(world(), doctor, fresh(), -60, { consultation_duration_minutes: 120 })).status, 409, 'holds others');
        });

        test('closed visits are in nobody’s way', async () => {
            const pair = world().pair();
            const first = await (await world().visit({ scheduled_start_time: at(0) }, pair)).to('CANCELLED');
            const second = await (await world().visit({ scheduled_start_time: at(0) }, pair)).to('COMPLETED');
            const third = await (await world().visit({ scheduled_start_time: at(0) }, pair)).to('ACTIVE');
            assert.equal(new Set([first.id, second.id, third.id]).size, 3);
            assert.equal((await book(world(), pair.doctorId, pair.patientId, 0)).status, 409, 'one that runs is');
        });

        test('the same booking again is answered as before', async () => {
            const [doctor, patient] = [fresh(), fresh()];
            const appointment = { booking_type: 'CLINIC_BASED', appointment_id: world().newAppointment() };
            const first = await book(world(), doctor, patient, 0, appointment);
            const again = await book(world(), doctor, patient, 0, appointment);
            assert.deepEqual([first.status, again.status, again.body.session_id], [201, 200, first.body.session_id]);
            const others = await book(world(), fresh(), patient, 0, appointment);
            assert.match(others.body.detail, /This appointment already has a session/);

            const body = { booking_type: 'DIRECT_DOCTOR', doctor_id: doctor, patient_id: patient, scheduled_start_time: at(200) };
            const keyed = () => world().client.post(sessions, world().admin, body, { 'Idempotency-Key': `key-${doctor}` });
            const [one, two] = [await keyed(), await keyed()];
            assert.deepEqual([one.status, two.status, two.body.session_id], [201, 201, one.body.session_id]);
            const racing = await Promise.all(
                Array.from({ length: 10 }, () => world().client.post(sessions, world().admin, { ...body, scheduled_start_time: at(400) }, { 'Idempotency-Key': `race-${doctor}` })),
            );
            assert.deepEqual([...new Set(racing.map((each) => each.status))], [201]);
            assert.equal(new Set(racing.map((each) => each.body.session_id)).size, 1);
        });

        test('moving: not onto another, but out of one’s own way', async () => {
            const [doctor, patient] = [fresh(), fresh()];
            const first = (await book(world(), doctor, patient, 0)).body.session_id;
            const second = (await book(world(), doctor, fresh(), 60)).body.session_id;
            assert.equal((await move(world(), first, 45)).status, 409);
            assert.equal((await move(world(), first, 15)).status, 200, 'it overlaps with its own old time only');
            assert.equal((await move(world(), first, 30)).status, 200, 'it touches the other');
            assert.equal((await move(world(), second, 30)).status, 409);
            await assertNoOverlap(world(), 'doctor', doctor);
        });

        test('many at once for one place: exactly one gets it', async () => {
            for (let round = 0; round < rounds; ++round) {
                const [doctor, patient] = [fresh(), fresh()];
                const answers = await Promise.all(
                    Array.from({ length: 12 }, (_, i) =>
                        i % 2 ? book(world(), doctor, fresh(), i) : book(world(), fresh(), patient, i)),
                );
                const statuses = answers.map((each) => each.status);
                assert.ok(statuses.every((status) => status === 201 || status === 409), String(statuses));
                // Two crowds that are in nobody's way: one for the doctor, one for the patient.
                assert.equal(statuses.filter((status, i) => i % 2 && status === 201).length, 1);
                assert.equal(statuses.filter((status, i) => i % 2 === 0 && status === 201).length, 1);
            }
        });

        test('many bookings and moves at once over a day: never two, and no place is lost', async () => {
            const [doctor, patient] = [fresh(), fresh()];
            const first = await Promise.all(Array.from({ length: 8 }, (_, i) => book(world(), doctor, i % 2 ? patient : fresh(), 1000 + i * 30)));
            assert.deepEqual([...new Set(first.map((each) => each.status))], [201]);
            const random = (() => {
                let seed = 7;
                return (below) => (seed = (seed * 48271) % 2147483647) % below;
            })();
            for (let round = 0; round < rounds; ++round) {
                const answers = await Promise.all(
                    Array.from({ length: 10 }, (_, i) =>
                        i % 2 ? move(world(), first[random(8)].body.session_id, 1000 + random(48) * 15) : book(world(), doctor, i % 4 ? patient : fresh(), 1000 + random(48) * 15)),
                );
                for (const answer of answers) assert.ok([200, 201, 409].includes(answer.status), answer.text);
            }
            await assertNoOverlap(world(), 'doctor', doctor);
            await assertNoOverlap(world(), 'patient', patient);
        });
    },
    { env },
);

describe('two processes on one PostgreSQL', () => {
    let world, second, client;
    before(async () => {
        world = await World.open({ store: 'postgres', env });
        second = await Server.start({ databaseUrl: world.postgres.url(world.database), env });
        client = await Client.connect(second.url);
    });
    after(async () => {
        client?.close();
        await second?.stop();
        await world?.close();
    });

    test('exactly one of many bookings and moves gets the place', async () => {
        for (let round = 0; round < rounds; ++round) {
            const doctor = fresh();
            const away = await Promise.all([1, 2, 3, 4].map((i) => book(world, doctor, fresh(), 5000 + i * 30)));
            const answers = await Promise.all([
                ...Array.from({ length: 8 }, (_, i) => book(world, doctor, fresh(), i * 3, {}, i % 2 ? client : world.client)),
                ...away.map((each, i) => move(world, each.body.session_id, i * 3, i % 2 ? client : world.client)),
            ]);
            const got = answers.filter((each) => each.status < 300);
            assert.equal(got.length, 1, answers.map((each) => each.status).join(' '));
            assert.ok(answers.every((each) => each.status < 300 || each.status === 409));
            await assertNoOverlap(world, 'doctor', doctor);
        }
    });
});

describe('without PREVENT_OVERLAP', () => {
    test('visits may overlap', async () => {
        const world = await World.open();
        try {
            const [doctor, patient] = [fresh(), fresh()];
            assert.equal((await book(world, doctor, patient, 0)).status, 201);
            assert.equal((await book(world, doctor, patient, 0)).status, 201);
        } finally {
            await world.close();
        }
    });
});
