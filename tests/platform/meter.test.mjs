// The meter: what was used, at whom, how near the free tier's end; and the proof that it is right. D numbers are the
// contract's defects.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { inNeighbourhood, inNeighbourhoodOnEachStore, Neighbourhood } from '../lib/neighbourhood.js';
import { programPath } from '../lib/server.js';
import { age, monthBefore, sql } from '../lib/time_travel.js';
import { eventually } from '../lib/world.js';

const usageOf = async (here, query = '', token = here.world.admin) => (await here.client.get(`/api/video/metrics/usage${query}`, token)).body;

/** A visit at its provider that took so many minutes for both. */
async function visitOf(here, minutes) {
    const visit = await (await here.world.visit()).to('ACTIVE');
    await age(here.world, visit.id, minutes);
    await visit.end(visit.doctor);
    return visit;
}

/** Exit code and output of `video-consultation reconcile`, with the service's own configuration. */
const reconcile = (here, args = []) =>
    new Promise((resolve) => {
        const { folder, env } = here.world.server;
        execFile(programPath, ['reconcile', ...args], { cwd: folder, env, timeout: 30_000 }, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, text: stdout + stderr }));
    });

inNeighbourhoodOnEachStore('the meter', { chime: true, env: { CHIME_EVENTS_SECRET: 'k', CHIME_BUDGET_POLICY: 'warn' } }, (here) => {
    const month = `?month=${monthBefore(10)}`;

    test('tells minutes by provider, in tenths as AWS bills; only Chime’s count against the free tier', async () => {
        const before = await usageOf(here(), month);
        const chime = await visitOf(here(), 10);
        await here().chime.throttle();
        const embedded = await visitOf(here(), 10);
        await here().chime.heal();
        assert.deepEqual([(await chime.get()).body.meeting_provider, (await embedded.get()).body.meeting_provider], ['chime', 'embedded']);
        assert.deepEqual([(await chime.get()).body.attendee_minutes, (await embedded.get()).body.attendee_minutes], [20, 20]);
        const usage = await usageOf(here(), month);
        const billed = usage.by_provider.chime.attendee_minutes - before.by_provider.chime.attendee_minutes;
        // A little over ten minutes each, so ten and a tenth.
        assert.ok(billed > 20.15 && billed < 20.65, `${billed}`);
        assert.equal(usage.by_provider.embedded.attendee_minutes - before.by_provider.embedded.attendee_minutes, 20);
        assert.equal(usage.by_provider.chime.sessions - before.by_provider.chime.sessions, 1);
        assert.equal(usage.by_provider.embedded.sessions - before.by_provider.embedded.sessions, 1);
        assert.equal(usage.free_tier_limit, 1000);
        assert.equal(usage.remaining_minutes, 1000 - Math.ceil(usage.by_provider.chime.attendee_minutes));
        assert.ok(Math.abs(usage.percentage_used - usage.by_provider.chime.attendee_minutes / 10) < 0.011, JSON.stringify(usage));
        assert.equal(usage.level, 'HEALTHY');
        assert.equal(usage.month, month.slice(7));
        assert.ok(usage.average_session_duration_minutes > 0);
        const perDay = usage.days.reduce((sum, day) => sum + day.chime, 0);
        assert.ok(Math.abs(perDay - usage.by_provider.chime.attendee_minutes) < 0.01);
        const behind = usage.sessions.find((each) => each.session_id === chime.id);
        assert.deepEqual([behind.provider, behind.doctor_id, behind.patient_id], ['chime', chime.doctorId, chime.patientId]);
        assert.ok(Math.abs(behind.attendee_minutes - billed) < 0.01);
    });

    test('D27: only doctors and administrators see it, and only administrators whose sessions they were', async () => {
        const { world, client } = here();
        const pair = world.pair();
        const ask = (token) => client.get('/api/video/metrics/usage', token);
        for (const token of [pair.patient, world.token('PHARMACIST', '1'), world.token('SERVICE', '1')]) assert.equal((await ask(token)).status, 403);
        assert.equal((await ask(undefined)).status, 401);
        assert.equal((await ask(pair.doctor)).body.sessions, null);
        assert.ok(Array.isArray((await ask(world.admin)).body.sessions));
    });

    test('months are named one way or the other; nonsense is 422', async () => {
        const { client, world } = here();
        const now = new Date();
        const [year, number] = [now.getUTCFullYear(), now.getUTCMonth() + 1];
        const name = now.toISOString().slice(0, 7);
        for (const query of ['', `?month=${name}`, `?year=${year}&month=${number}`]) assert.equal((await usageOf(here(), query)).month, name, query);
        assert.equal((await usageOf(here(), '?month=2001-01')).total_attendee_minutes_current_month, 0);
        for (const query of ['?month=abc', '?month=2026-13', '?month=2026-00', '?month=13', '?year=abc', '?month=2026-1-1', '?year=2026&month=13']) {
            const answer = await client.exchange('GET', `/api/video/metrics/usage${query}`, { Authorization: `Bearer ${world.admin}` });
            assert.equal(answer.status, 422, query);
        }
    });

    test('D7: whoever is still inside at end or cancel is counted', async () => {
        const { world } = here();
        const ended = await visitOf(here(), 7);
        assert.equal((await ended.get()).body.attendee_minutes, 14);
        const cancelled = await (await world.visit()).to('WAITING');
        await age(world, cancelled.id, 5);
        await cancelled.cancel(cancelled.patient);
        assert.equal((await cancelled.get()).body.attendee_minutes, 5);
    });

    test('D8: leaving twice counts once, coming back begins anew, and leaving after the end counts nothing', async () => {
        const { world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        await age(world, visit.id, 6);
        await visit.leave(visit.patient);
        await visit.leave(visit.patient);
        assert.equal((await visit.get()).body.attendees[1].connected, false);
        // Away for four minutes.
        await age(world, visit.id, 4);
        assert.equal((await visit.join(visit.patient)).status, 200);
        await visit.end(visit.doctor);
        await visit.leave(visit.patient);
        // Ten of the doctor, six of the patient.
        assert.equal((await visit.get()).body.attendee_minutes, 16);
    });

    test('it is right after kill -9 in the middle of a visit', async () => {
        const { world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        await age(world, visit.id, 8);
        await world.server.kill();
        await world.server.boot();
        await visit.end(visit.doctor);
        assert.equal((await visit.get()).body.attendee_minutes, 16);
        const proof = await reconcile(here(), [`--month=${monthBefore(8)}`]);
        assert.equal(proof.code, 0, proof.text);
    });

    test('reconcile proves that every figure is the sum of its stays, and finds one that is not', async () => {
        const { world } = here();
        const visit = await visitOf(here(), 9);
        const args = [`--month=${monthBefore(9)}`];
        const good = await reconcile(here(), args);
        assert.equal(good.code, 0, good.text);
        assert.match(good.text, /Every record is the sum of its stays/);
        await sql(world, `update video_consultation_metrics set attendee_minutes_used = attendee_minutes_used + 3 where session_id = '${visit.id}' and user_id = '${visit.doctorId}'`);
        const bad = await reconcile(here(), args);
        assert.equal(bad.code, 1, bad.text);
        assert.ok(bad.text.includes(visit.id));
        await sql(world, `update video_consultation_metrics set attendee_minutes_used = attendee_minutes_used - 3 where session_id = '${visit.id}' and user_id = '${visit.doctorId}'`);
        assert.equal((await reconcile(here(), args)).code, 0);
        // As the earlier service left them: no person, no stays.
        await sql(world, `insert into video_consultation_metrics (metric_id, session_id, attendee_minutes_used, date) select '${randomUUID()}', session_id, 5, date from video_consultation_metrics where session_id = '${visit.id}' limit 1`);
        const inherited = await reconcile(here(), args);
        assert.equal(inherited.code, 0, inherited.text);
        assert.match(inherited.text, /1 records of an earlier service, which kept no stays, cannot be checked/);
        assert.equal((await reconcile(here(), ['--month=nonsense'])).code !== 0, true);
    });

    test('reconcile shows where Chime saw somebody for another time than we did', async () => {
        const { world, chime } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        const meetingId = (await visit.get()).body.meeting_id;
        const patient = (await chime.meeting(meetingId)).Attendees.find((each) => each.ExternalUserId.startsWith('patient-'));
        await age(world, visit.id, 10);
        const began = Date.now() - 10 * 60_000;
        await visit.end(visit.doctor);
        const event = (eventType, timestamp) => ({ eventType, meetingId, attendeeId: patient.AttendeeId, externalUserId: patient.ExternalUserId, timestamp });
        // AWS's news come late: the visit is over, and the patient was there for four minutes only.
        await chime.events({
            url: `${world.server.url}/api/video/chime/events`, headers: { 'X-Api-Key': 'k' },
            events: [event('chime:AttendeeJoined', began), event('chime:AttendeeLeft', began + 4 * 60_000)],
        });
        assert.equal((await visit.get()).body.attendee_minutes, 20);
        const report = await reconcile(here(), [`--month=${monthBefore(10)}`]);
        assert.equal(report.code, 0, report.text);
        assert.match(report.text, /differ from what Chime told/);
        assert.ok(report.text.includes(visit.id));
        assert.match(report.text, /Chime tells 240 s/);
    });

    test('the client’s figures of a call are stored and summarised', async () => {
        const { world, client } = here();
        const visit = await world.visit();
        const report = (token, text) => client.request('POST', `${visit.path}/quality`, { token, text: JSON.stringify(text) });
        const figures = { average_latency_ms: 80, packet_loss_percentage: 1.25, audio_quality_score: 4, video_quality_score: 3 };
        assert.equal((await report(visit.patient, figures)).status, 409, 'not before they have joined');
        const before = (await usageOf(here())).quality.reports;
        await visit.join(visit.patient);
        await visit.join(visit.doctor);
        assert.equal((await report(visit.patient, figures)).status, 204);
        assert.equal((await report(visit.doctor, { average_latency_ms: 120, technical_issues: true, issue_description: 'Echo' })).status, 204);
        assert.equal((await report(world.pair().doctor, figures)).status, 403);
        for (const bad of [{ audio_quality_score: 6 }, { packet_loss_percentage: 101 }, { average_latency_ms: -1 }, { video_quality_score: 'good' }, {}]) {
            assert.equal((await report(visit.patient, bad)).status, 422, JSON.stringify(bad));
        }
        await visit.end(visit.doctor);
        assert.equal((await report(visit.patient, { average_latency_ms: 100 })).status, 204, 'also when it is over');
        const { quality } = await usageOf(here());
        assert.equal(quality.reports, before + 3);
        if (before === 0) assert.deepEqual([quality.average_latency_ms, quality.packet_loss_percentage, quality.audio_quality_score, quality.video_quality_score], [100, 1.25, 4, 3]);
        const [stored] = await sql(world, `select average_latency_ms from video_consultation_metrics where session_id = '${visit.id}' and user_id = '${visit.doctorId}'`);
        assert.equal(Number(stored), 120);
    });
});

describe('the shares of the free tier', () => {
    const wanted = { broker: true, chime: true, env: { AWS_FREE_TIER_ATTENDEE_MINUTES: '1', CHIME_BUDGET_POLICY: 'warn' } };
    // Every stay costs a tenth of a minute at least: one visit of two is a fifth of a budget of one minute.
    const visits = async (here, count) => {
        for (let i = 0; i < count; ++i) await (await here.world.visit()).to('COMPLETED');
    };

    for (const store of ['sqlite', 'postgres']) {
        test(`50, 80 and 100 % are published once each, also over a restart; the level follows (D27, ${store})`, async () => {
            const here = await Neighbourhood.open({ ...wanted, store });
            try {
                // Killed before it hears that the broker has a message, the service sends it again under the same id.
                const told = () => [
                    ...new Map(
                        here.recorder.events
                            .filter((each) => each.key === 'video.usage.threshold')
                            .map((each) => [each.properties.messageId, each.body.data]),
                    ).values(),
                ];
                const percents = () => told().map((each) => each.percent);
                const level = async () => (await usageOf(here)).level;
                assert.equal(await level(), 'HEALTHY');
                await visits(here, 2);
                assert.equal(await level(), 'HEALTHY');
                await visits(here, 1);
                assert.equal(await level(), 'WARNING');
                await eventually(() => percents().join() === '50', () => `the half is told: ${percents()}`, 30_000);
                await visits(here, 1);
                assert.equal(await level(), 'CRITICAL');
                await eventually(() => percents().join() === '50,80', () => `four fifths are told: ${percents()}`, 30_000);
                await here.world.server.kill();
                await here.world.server.boot();
                await visits(here, 1);
                assert.equal(await level(), 'CRITICAL');
                await visits(here, 1);
                assert.equal(await level(), 'EXCEEDED');
                await eventually(() => percents().includes(100), () => `the whole is told: ${percents()}`, 30_000);
                await visits(here, 2);
                await new Promise((resolve) => setTimeout(resolve, 3000));
                assert.deepEqual(percents(), [50, 80, 100]);
                for (const each of told()) {
                    assert.deepEqual([each.free_tier_limit, each.month.length], [1, 7]);
                    assert.ok(each.attendee_minutes >= 1);
                }
            } finally {
                await here.close();
            }
        });
    }
});

inNeighbourhood('the figures of a service without AWS', {}, (here) => {
    test('D27: minutes of the embedded server never use up the free tier', async () => {
        await visitOf(here(), 10);
        const usage = await usageOf(here(), `?month=${monthBefore(10)}`);
        assert.deepEqual([usage.total_attendee_minutes_current_month, usage.remaining_minutes, usage.percentage_used, usage.level], [20, 1000, 0, 'HEALTHY']);
        assert.equal(usage.by_provider.embedded.attendee_minutes, 20);
    });
});
