// The contract's example from booking to the audit trail, request by request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachStore, sessions } from '../lib/world.js';

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/;

eachStore('the contract end to end', (world) => {
    test('a doctor and a patient meet', async () => {
        const { client } = world();
        const doctor = world().token('DOCTOR', '12');
        const patient = world().token('PATIENT', '34');

        // Far ahead, so that it is not taken for a missed one.
        const booking = {
            booking_type: 'CLINIC_BASED',
            appointment_id: '789e1552-abfa-42ab-a7a9-b033e8b745f9',
            doctor_id: '12',
            patient_id: '34',
            clinic_id: 4,
            scheduled_start_time: '2096-01-25T14:00:00',
            consultation_duration_minutes: 30,
            chief_complaint: 'Follow-up consultation',
        };
        const booked = await client.post(sessions, patient, booking);
        assert.equal(booked.status, 201);
        const { session_id: id, created_at: createdAt, updated_at: updatedAt, ...rest } = booked.body;
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.match(createdAt, timestamp);
        assert.equal(updatedAt, createdAt);
        assert.deepEqual(rest, {
            booking_type: 'CLINIC_BASED',
            appointment_id: '789e1552-abfa-42ab-a7a9-b033e8b745f9',
            doctor_id: '12',
            patient_id: '34',
            clinic_id: 4,
            status: 'SCHEDULED',
            scheduled_start_time: '2096-01-25T14:00:00Z',
            scheduled_end_time: '2096-01-25T14:30:00Z',
            actual_start_time: null,
            actual_end_time: null,
            consultation_duration_minutes: 30,
            chief_complaint: 'Follow-up consultation',
            session_notes: null,
            doctor_joined_at: null,
            patient_joined_at: null,
            meeting_id: null,
            external_meeting_id: null,
            media_region: null,
            media_placement_audio_host_url: null,
            media_placement_audio_fallback_url: null,
            media_placement_signaling_url: null,
            media_placement_turn_control_url: null,
            doctor_left_at: null,
            patient_left_at: null,
            cancelled_at: null,
            cancelled_by: null,
            cancellation_reason: null,
            connection_quality_rating: null,
            meeting_provider: null,
            doctor_name: null,
            doctor_specialty: null,
            patient_name: null,
            clinic_name: null,
            duration_minutes: null,
            attendee_minutes: 0,
            attendees: [],
            waiting_room: false,
        });

        const first = await client.post(`${sessions}/${id}/join`, patient, { device_type: 'web', browser_info: 'Chrome 120' });
        assert.equal(first.status, 200);
        assert.equal(first.body.session_id, id);
        assert.equal(first.body.external_meeting_id, `pulseone-${id}`);
        assert.equal(first.body.attendee.external_user_id, 'patient-34');
        assert.equal(first.body.attendee.user_id, '34');
        assert.equal(first.body.attendee.role, 'PATIENT');
        assert.ok(first.body.attendee.join_token.length > 20);
        for (const url of ['audio_host_url', 'audio_fallback_url', 'signaling_url']) {
            assert.ok(first.body.media_placement[url].length > 0, url);
        }
        const waiting = (await client.get(`${sessions}/${id}`, patient)).body;
        assert.equal(waiting.status, 'WAITING');
        assert.match(waiting.actual_start_time, timestamp);
        assert.equal(waiting.patient_joined_at, waiting.actual_start_time);
        assert.equal(waiting.doctor_joined_at, null);

        const second = await client.post(`${sessions}/${id}/join`, doctor, {});
        assert.equal(second.status, 200);
        assert.equal(second.body.meeting_id, first.body.meeting_id);
        assert.equal(second.body.attendee.external_user_id, 'doctor-12');
        assert.equal(second.body.attendee.role, 'DOCTOR');
        assert.notEqual(second.body.attendee.attendee_id, first.body.attendee.attendee_id);

        const active = (await client.get(`${sessions}/${id}`, doctor)).body;
        assert.equal(active.status, 'ACTIVE');
        assert.match(active.doctor_joined_at, timestamp);
        assert.equal(active.patient_joined_at, waiting.patient_joined_at);
        assert.equal(active.meeting_id, first.body.meeting_id);
        assert.deepEqual(active.attendees.map((each) => [each.user_id, each.role, each.connected]), [
            ['12', 'DOCTOR', true],
            ['34', 'PATIENT', true],
        ]);

        const ended = await client.post(`${sessions}/${id}/end`, doctor, { session_notes: 'Recovering well.', connection_quality_rating: 5 });
        assert.equal(ended.status, 200);
        assert.equal(ended.body.status, 'COMPLETED');
        assert.match(ended.body.actual_end_time, timestamp);
        assert.equal(ended.body.session_notes, 'Recovering well.');
        assert.equal(ended.body.connection_quality_rating, 5);
        assert.equal(ended.body.attendee_minutes, 2);

        const late = await client.post(`${sessions}/${id}/join`, patient, {});
        assert.deepEqual([late.status, late.body], [400, { detail: 'This session has already been completed' }]);
        const again = await client.post(`${sessions}/${id}/end`, doctor, {});
        assert.deepEqual([again.status, again.body], [400, { detail: 'Session already completed' }]);

        const events = (await client.get(`${sessions}/${id}/events`, doctor)).body;
        assert.deepEqual(
            events.map((each) => [each.event_type, each.user_id, each.session_id]),
            [
                ['SESSION_CREATED', '34', id],
                ['MEETING_CREATED', null, id],
                ['USER_JOINED', '34', id],
                ['USER_JOINED', '12', id],
                ['SESSION_ENDED', '12', id],
            ],
        );
        assert.equal(events[0].event_description, 'Video consultation session created for CLINIC_BASED');
        assert.equal(events[2].event_description, 'PATIENT joined the session');
        assert.equal(new Set(events.map((each) => each.event_id)).size, 5);

        const { days, average_session_duration_minutes: average, month, ...usage } = (await client.get('/api/video/metrics/usage', doctor)).body;
        assert.deepEqual(usage, {
            total_attendee_minutes_current_month: 2,
            free_tier_limit: 1000,
            remaining_minutes: 1000,
            percentage_used: 0,
            total_sessions_current_month: 1,
            active_sessions: 0,
            level: 'HEALTHY',
            by_provider: { chime: { attendee_minutes: 0, sessions: 0 }, embedded: { attendee_minutes: 2, sessions: 1 } },
            quality: { reports: 0, average_latency_ms: null, packet_loss_percentage: null, audio_quality_score: null, video_quality_score: null },
            sessions: null,
        });
        assert.equal(month, createdAt.slice(0, 7));
        assert.deepEqual(days, [{ date: waiting.actual_start_time.slice(0, 10), chime: 0, embedded: 2 }]);
        assert.ok(average >= 0 && average < 1);
    });
});
