// What clients tell of their own calls, and the means of it in the month's figures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachStore } from '../lib/world.js';

eachStore('quality', (world) => {
    const report = (visit, token, figures) => world().client.post(`${visit.path}/quality`, token, figures);
    const summary = async () => (await world().client.get('/api/video/metrics/usage', world().admin)).body.quality;

    test('reports of several clients become means, each figure by those who gave it', async () => {
        assert.deepEqual(await summary(), { reports: 0, average_latency_ms: null, packet_loss_percentage: null, audio_quality_score: null, video_quality_score: null });
        const visit = await (await world().visit()).to('ACTIVE');
        const ok = async (token, figures) => assert.equal((await report(visit, token, figures)).status, 204);
        await ok(visit.patient, { average_latency_ms: 100, packet_loss_percentage: 1.5, audio_quality_score: 4 });
        await ok(visit.doctor, { average_latency_ms: 50, audio_quality_score: 5, video_quality_score: 3 });
        // Again by the same person, and after the end.
        await visit.end(visit.doctor);
        await ok(visit.patient, { average_latency_ms: 30, technical_issues: true, issue_description: 'Echo' });
        assert.deepEqual(await summary(), { reports: 3, average_latency_ms: 60, packet_loss_percentage: 1.5, audio_quality_score: 4.5, video_quality_score: 3 });
    });

    test('reports cost no minutes and change no session', async () => {
        const visit = await (await world().visit()).to('COMPLETED');
        const before = (await visit.get()).body;
        const minutes = (await world().client.get('/api/video/metrics/usage', world().admin)).body.total_attendee_minutes_current_month;
        assert.equal((await report(visit, visit.doctor, { video_quality_score: 5 })).status, 204);
        assert.deepEqual((await visit.get()).body, before);
        assert.equal((await world().client.get('/api/video/metrics/usage', world().admin)).body.total_attendee_minutes_current_month, minutes);
    });

    test('limits', async () => {
        const visit = await (await world().visit()).to('ACTIVE');
        for (const good of [
            { average_latency_ms: 0 }, { average_latency_ms: 60_000 }, { average_latency_ms: '80' }, { packet_loss_percentage: 0 }, { packet_loss_percentage: 100 },
            { audio_quality_score: 1 }, { video_quality_score: 5 }, { technical_issues: false }, { issue_description: 'x'.repeat(500) }, { audio_quality_score: 3, video_quality_score: null, more: 1 },
        ]) {
            assert.equal((await report(visit, visit.patient, good)).status, 204, JSON.stringify(good));
        }
        for (const [bad, type] of [
            [{ average_latency_ms: -1 }, 'greater_than_equal'], [{ average_latency_ms: 60_001 }, 'less_than_equal'], [{ average_latency_ms: 1.5 }, 'int_from_float'],
            [{ packet_loss_percentage: -0.1 }, 'greater_than_equal'], [{ packet_loss_percentage: 100.1 }, 'less_than_equal'], [{ packet_loss_percentage: '1' }, 'float_type'],
            [{ audio_quality_score: 0 }, 'greater_than_equal'], [{ video_quality_score: 6 }, 'less_than_equal'], [{ technical_issues: 'yes' }, 'bool_type'],
            [{ issue_description: 'x'.repeat(501) }, 'string_too_long'], [{}, 'value_error'], [{ audio_quality_score: null }, 'value_error'],
        ]) {
            const answer = await report(visit, visit.patient, bad);
            assert.equal(answer.status, 422, JSON.stringify(bad));
            assert.deepEqual(answer.body.detail.map((each) => each.type), [type], JSON.stringify(bad));
        }
    });
});
