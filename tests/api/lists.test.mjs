// Lists and usage figures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachStore, sessions } from '../lib/world.js';

eachStore('lists', (world) => {
    test('pages: latest first, true totals, nothing twice, empty behind the end', async () => {
        const { client } = world();
        const pair = world().pair();
        const starts = Array.from({ length: 23 }, (_, n) => `2096-03-${String(n + 1).padStart(2, '0')}T10:00:00Z`);
        for (const start of starts) await world().visit({ scheduled_start_time: start }, pair);
        const page = async (query) => (await client.get(`${sessions}?${query}`, pair.doctor)).body;

        const first = await page('');
        assert.deepEqual([first.sessions.length, first.total, first.page, first.page_size], [20, 23, 1, 20]);
        assert.deepEqual(first.sessions.map((each) => each.scheduled_start_time), starts.slice(3).reverse());
        const second = await page('page=2');
        assert.deepEqual(second.sessions.map((each) => each.scheduled_start_time), starts.slice(0, 3).reverse());
        const behind = await page('page=3');
        assert.deepEqual([behind.sessions, behind.total, behind.page], [[], 23, 3]);
        assert.deepEqual((await page('page=9000000000000000')).sessions, []);
        const oldest = await page('sort=scheduled_start_time&page_size=5&page=2');
        assert.deepEqual(oldest.sessions.map((each) => each.scheduled_start_time), starts.slice(5, 10));
        const all = await page('page_size=100');
        assert.equal(new Set(all.sessions.map((each) => each.session_id)).size, 23);

        const ranged = await page('start_date=2096-03-05&end_date=2096-03-07&sort=scheduled_start_time');
        assert.deepEqual(ranged.sessions.map((each) => each.scheduled_start_time), starts.slice(4, 7));
        const exact = await page('start_date=2096-03-05T10:00:00Z&end_date=2096-03-06T10:00:00%2B00:00');
        assert.equal(exact.total, 2);
        assert.equal((await page('start_date=2096-03-07&end_date=2096-03-05')).total, 0);
    });

    test('equal start times: pages still hold each session once', async () => {
        const { client } = world();
        const pair = world().pair();
        for (let n = 0; n < 7; ++n) await world().visit({ scheduled_start_time: '2096-05-01T10:00:00Z' }, pair);
        const seen = [];
        for (let page = 1; page <= 4; ++page) {
            seen.push(...(await client.get(`${sessions}?page=${page}&page_size=2`, pair.doctor)).body.sessions.map((each) => each.session_id));
        }
        assert.equal(new Set(seen).size, 7);
    });

    test('filters by state and type', async () => {
        const { client } = world();
        const pair = world().pair();
        const clinic = await world().visit({ booking_type: 'CLINIC_BASED', appointment_id: world().newAppointment() }, pair);
        const cancelled = await (await world().visit({}, pair)).to('CANCELLED');
        const active = await (await world().visit({}, pair)).to('ACTIVE');
        const ids = async (query) => (await client.get(`${sessions}?${query}`, pair.patient)).body.sessions.map((each) => each.session_id).sort();
        assert.deepEqual(await ids('status=CANCELLED'), [cancelled.id]);
        assert.deepEqual(await ids('status=ACTIVE&booking_type=DIRECT_DOCTOR'), [active.id]);
        assert.deepEqual(await ids('booking_type=CLINIC_BASED'), [clinic.id]);
        assert.deepEqual(await ids('status=ACTIVE&booking_type=CLINIC_BASED'), []);
        assert.deepEqual(await ids('status=&booking_type='), [clinic.id, cancelled.id, active.id].sort());
        await active.end(pair.doctor);
    });

    test('everybody sees their own: participants, admins all, others none', async () => {
        const { client } = world();
        const visit = await world().visit();
        const ids = async (token, target = sessions) => (await client.get(`${target}?page_size=100`, token)).body.sessions.map((each) => each.session_id);
        assert.deepEqual(await ids(visit.doctor), [visit.id]);
        assert.deepEqual(await ids(visit.patient), [visit.id]);
        assert.deepEqual(await ids(world().token('PATIENT', visit.doctorId)), []);
        assert.deepEqual(await ids(world().token('PHARMACIST', visit.doctorId)), []);
        assert.deepEqual(await ids(world().admin, `${sessions}/doctor/${visit.doctorId}`), [visit.id]);
        assert.deepEqual(await ids(world().admin, `${sessions}/patient/${visit.patientId}`), [visit.id]);
        assert.deepEqual(await ids(world().admin, `${sessions}/patient/nobody`), []);
        const all = await client.get(`${sessions}?page_size=100&sort=-scheduled_start_time`, world().admin);
        assert.ok(all.body.total >= 30);
    });

    test('usage: what the sessions show adds up', async () => {
        const { client } = world();
        const visits = [];
        for (let n = 0; n < 3; ++n) visits.push(await (await world().visit()).to('ACTIVE'));
        const while_open = (await client.get('/api/video/metrics/usage', world().admin)).body;
        assert.equal(while_open.active_sessions, 3);
        await visits[0].end(visits[0].doctor);
        await visits[1].leave(visits[1].patient);
        await visits[1].end(visits[1].doctor);
        await visits[2].leave(visits[2].doctor);
        await visits[2].end(world().admin);
        const usage = (await client.get('/api/video/metrics/usage', world().admin)).body;
        const sums = [];
        for (let page = 1, total = 1; (page - 1) * 100 < total; ++page) {
            const list = (await client.get(`${sessions}?page_size=100&page=${page}`, world().admin)).body;
            total = list.total;
            sums.push(...list.sessions.map((each) => each.attendee_minutes));
            for (const each of list.sessions) {
                assert.equal(each.attendee_minutes, each.attendees.reduce((sum, one) => sum + one.attendee_minutes, 0));
            }
        }
        assert.equal(usage.total_attendee_minutes_current_month, sums.reduce((a, b) => a + b, 0));
        assert.equal(usage.total_sessions_current_month, sums.length);
        assert.equal(usage.active_sessions, 0);
        assert.equal(usage.remaining_minutes, 1000);
    });

    test('usage: the month that is asked', async () => {
        const { client } = world();
        const ask = async (query) => (await client.get(`/api/video/metrics/usage?${query}`, world().admin)).body;
        const now = new Date();
        const present = await ask('');
        assert.ok(present.total_sessions_current_month > 0);
        const year = now.getUTCFullYear();
        const month = now.getUTCMonth() + 1;
        for (const query of [`month=${year}-${String(month).padStart(2, '0')}`, `year=${year}&month=${month}`, `month=${month}`, 'year=1999', 'month=5']) {
            assert.deepEqual(await ask(query), present, query);
        }
        const past = await ask('month=1999-12');
        assert.deepEqual([past.total_attendee_minutes_current_month, past.total_sessions_current_month, past.percentage_used], [0, 0, 0]);
    });
});
