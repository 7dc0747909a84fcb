// The meter: the figures of a month, where they come from, and who may see them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachStore, sessions } from '../lib/world.js';

const target = '/api/video/metrics/usage';
const monthOf = (time) => time.slice(0, 7);

eachStore('usage', (world) => {
    const usage = async (query = '', token = world().admin) => {
        const answer = await world().client.get(target + query, token);
        assert.equal(answer.status, 200, answer.text);
        return answer.body;
    };

    test('D27: the figures are for doctors and administrators, the sessions behind them for administrators', async () => {
        const { client } = world();
        const visit = await (await world().visit()).to('COMPLETED');
        for (const role of ['PATIENT', 'PHARMACIST', 'SERVICE', 'NURSE']) {
            const answer = await client.get(target, world().token(role, visit.doctorId));
            assert.deepEqual([answer.status, answer.body], [403, { detail: 'Only doctors and administrators can see usage figures' }]);
        }
        assert.equal((await client.get(target)).status, 401);
        for (const doctor of [visit.doctor, world().pair().doctor]) {
            const figures = await usage('', doctor);
            assert.equal(figures.sessions, null);
            assert.ok(figures.total_attendee_minutes_current_month >= 2);
        }
        for (const role of ['ADMIN', 'CLINIC_ADMIN', 'SYS_ADMIN']) {
            const behind = (await usage('', world().token(role, 'boss'))).sessions;
            const mine = behind.find((each) => each.session_id === visit.id);
            assert.deepEqual({ ...mine, date: undefined }, {
                session_id: visit.id, doctor_id: visit.doctorId, patient_id: visit.patientId, provider: 'embedded', date: undefined, attendee_minutes: 2,
            });
            const session = (await visit.get()).body;
            assert.equal(mine.date, session.patient_joined_at);
        }
    });

    test('every figure moves with what happens, and fits the others', async () => {
        const before = await usage();
        const booked = await world().visit();
        const waiting = await (await world().visit()).to('WAITING');
        const completed = await (await world().visit()).to('COMPLETED');
        await completed.leave(completed.doctor);
        const cancelled = await (await world().visit()).to('WAITING');
        await cancelled.cancel(cancelled.patient);
        const after = await usage();
        const grown = (field) => after[field] - before[field];
        assert.equal(grown('total_sessions_current_month'), 4);
        assert.equal(grown('active_sessions'), 1);
        assert.equal(grown('total_attendee_minutes_current_month'), 3);
        assert.equal(after.by_provider.embedded.attendee_minutes - before.by_provider.embedded.attendee_minutes, 3);
        assert.equal(after.by_provider.embedded.sessions - before.by_provider.embedded.sessions, 2);
        assert.equal(after.total_attendee_minutes_current_month, after.by_provider.embedded.attendee_minutes);
        assert.equal(after.days.reduce((sum, day) => sum + day.embedded, 0), after.by_provider.embedded.attendee_minutes);
        assert.deepEqual(after.days.map((day) => day.date), after.days.map((day) => day.date).sort());
        assert.equal(after.sessions.reduce((sum, each) => sum + each.attendee_minutes, 0), after.total_attendee_minutes_current_month);
        assert.ok(!after.sessions.some((each) => [booked.id, waiting.id].includes(each.session_id)), 'nothing of those that run or did not begin');
        assert.ok(after.average_session_duration_minutes >= 0 && after.average_session_duration_minutes < 1);
        await waiting.end(waiting.doctor);
    });

    test("this service's own meetings cost nothing of the free tier", async () => {
        const figures = await usage();
        assert.ok(figures.total_attendee_minutes_current_month > 0);
        assert.deepEqual(
            [figures.free_tier_limit, figures.remaining_minutes, figures.percentage_used, figures.level, figures.by_provider.chime],
            [2, 2, 0, 'HEALTHY', { attendee_minutes: 0, sessions: 0 }],
        );
    });

    test('the month that is asked', async () => {
        const present = await usage();
        const now = new Date().toISOString();
        const [year, month] = [now.slice(0, 4), String(Number(now.slice(5, 7)))];
        assert.equal(present.month, monthOf(now));
        for (const query of [`month=${monthOf(now)}`, `month=${year}-${month}`, `year=${year}&month=${month}`, `month=${month}`, `year=1999`, `month=12`, `year=1999&month=${monthOf(now)}`]) {
            assert.deepEqual(await usage(`?${query}`), present, query);
        }
        for (const [query, name] of [['month=1999-12', '1999-12'], ['year=1999&month=2', '1999-02'], ['month=9998-12', '9998-12'], ['month=0001-01', '0001-01']]) {
            const other = await usage(`?${query}`);
            assert.deepEqual(other, {
                ...other,
                total_attendee_minutes_current_month: 0, remaining_minutes: 2, percentage_used: 0, total_sessions_current_month: 0,
                month: name, level: 'HEALTHY', average_session_duration_minutes: null, days: [], sessions: [],
                by_provider: { chime: { attendee_minutes: 0, sessions: 0 }, embedded: { attendee_minutes: 0, sessions: 0 } },
                quality: { reports: 0, average_latency_ms: null, packet_loss_percentage: null, audio_quality_score: null, video_quality_score: null },
            }, query);
            assert.equal(other.active_sessions, present.active_sessions);
        }
    });

    test('D17: nonsense for a month is 422, before anything else', async () => {
        const { client } = world();
        for (const query of ['month=abc', 'month=13', 'month=2026-00', 'month=2026-1-1', 'year=abc', 'year=0&month=1', 'year=2026&month=13']) {
            for (const token of [world().admin, world().token('PATIENT', '1')]) assert.equal((await client.get(`${target}?${query}`, token)).status, 422, query);
        }
    });

    test('the list of sessions ends at a thousand, the figures do not', { timeout: 300_000 }, async () => {
        const { client } = world();
        const before = await usage();
        const missing = 1_001 - before.sessions.length;
        const pair = world().pair();
        let next = 0;
        const lane = async () => {
            while (next < missing) {
                next++;
                const { session_id: id } = (await client.post(sessions, pair.patient, world().booking(pair))).body;
                for (const [action, token] of [['join', pair.patient], ['end', pair.doctor]]) {
                    assert.equal((await client.post(`${sessions}/${id}/${action}`, token, {})).status, 200);
                }
            }
        };
        await Promise.all(Array.from({ length: 16 }, lane));
        const after = await usage();
        assert.equal(after.sessions.length, 1000);
        assert.equal(after.by_provider.embedded.sessions, 1001);
        assert.equal(after.total_attendee_minutes_current_month, before.total_attendee_minutes_current_month + missing);
        const dates = after.sessions.map((each) => each.date);
        assert.deepEqual(dates, [...dates].sort().reverse(), 'latest first');
    });
}, { env: { AWS_FREE_TIER_ATTENDEE_MINUTES: '2' } });
