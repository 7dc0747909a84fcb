// Meetings on AWS Chime: made once, when the first person comes, and gone when the visit is over. The numbers are those
// of the contract's list of defects.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { inNeighbourhood, inNeighbourhoodOnEachStore } from '../lib/neighbourhood.js';
import { eventually, sessions } from '../lib/world.js';

const placement = {
    audio_host_url: 'AudioHostUrl', audio_fallback_url: 'AudioFallbackUrl', signaling_url: 'SignalingUrl', turn_control_url: 'TurnControlUrl',
};

/** The join's answer is what AWS knows about this person in this meeting, and no older thing. */
async function assertWorks(chime, joined) {
    assert.equal(joined.status, 200, joined.text);
    const meeting = await chime.meeting(joined.body.meeting_id);
    assert.equal(meeting?.Ended, null, 'the meeting is one that AWS has');
    const attendee = meeting.Attendees.find((each) => each.AttendeeId === joined.body.attendee.attendee_id);
    assert.ok(attendee, 'the attendee is one that the meeting has');
    assert.deepEqual([joined.body.attendee.join_token, joined.body.attendee.external_user_id], [attendee.JoinToken, attendee.ExternalUserId]);
    for (const [ours, theirs] of Object.entries(placement)) assert.equal(joined.body.media_placement[ours], meeting.MediaPlacement[theirs]);
    return meeting;
}

inNeighbourhoodOnEachStore('a visit on AWS Chime', { chime: true }, (here) => {
    test('the first join makes the meeting, with what AWS wants and what the contract says', async () => {
        const { chime, world } = here();
        const visit = await world.visit();
        assert.equal(visit.booked.meeting_id, null);
        const meeting = await assertWorks(chime, await visit.join(visit.patient, { device_type: 'web' }));
        assert.equal(meeting.ExternalMeetingId, `pulseone-${visit.id}`);
        assert.equal(meeting.MediaRegion, 'us-east-1');
        assert.deepEqual(meeting.MeetingFeatures, { Audio: { EchoReduction: 'AVAILABLE' }, Video: { MaxResolution: 'HD' }, Content: { MaxResolution: 'FHD' } });
        assert.deepEqual(meeting.Tags, { Service: 'PulseOne', Type: 'VideoConsultation', DoctorId: visit.doctorId, PatientId: visit.patientId, SessionId: visit.id });
        const doctor = await visit.join(visit.doctor);
        await assertWorks(chime, doctor);
        assert.equal(doctor.body.meeting_id, meeting.MeetingId);
        assert.equal(doctor.body.attendee.external_user_id, `doctor-${visit.doctorId}`);
        const session = (await visit.get()).body;
        assert.deepEqual([session.status, session.meeting_id, session.meeting_provider, session.media_region], ['ACTIVE', meeting.MeetingId, 'chime', 'us-east-1']);
        const trail = (await visit.events()).body.find((each) => each.event_type === 'MEETING_CREATED');
        assert.equal(trail.event_description, `AWS Chime meeting created: ${meeting.MeetingId}`);
    });

    test('D3: a booking makes no meeting; one that AWS has ended is made anew at the next join', async () => {
        const { chime, world } = here();
        const before = (await chime.state()).total;
        const visit = await world.visit();
        await visit.get();
        assert.equal((await chime.state()).total, before);
        const first = await assertWorks(chime, await visit.join(visit.patient));
        await chime.end(first.MeetingId);
        const again = await assertWorks(chime, await visit.join(visit.patient));
        assert.notEqual(again.MeetingId, first.MeetingId);
        assert.notEqual(again.Request.ClientRequestToken, first.Request.ClientRequestToken);
        assert.equal((await visit.get()).body.meeting_id, again.MeetingId);
    });

    test('D5: after the meeting was made anew, everybody gets what belongs to the new one, again and again', async () => {
        const { chime, world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        const first = (await visit.get()).body.meeting_id;
        const old = (await chime.meeting(first)).Attendees.map((each) => each.AttendeeId);
        for (let generation = 0; generation < 3; ++generation) {
            await chime.end((await visit.get()).body.meeting_id);
            for (const token of [visit.doctor, visit.patient, visit.doctor, visit.patient]) {
                const joined = await visit.join(token);
                await assertWorks(chime, joined);
                assert.ok(!old.includes(joined.body.attendee.attendee_id));
            }
        }
        const tokens = (await chime.state()).meetings.filter((each) => each.ExternalMeetingId === `pulseone-${visit.id}`).map((each) => each.Request.ClientRequestToken);
        assert.equal(tokens.length, 4);
        assert.equal(new Set(tokens).size, 4);
        assert.equal((await visit.get()).body.attendees.length, 2);
        assert.equal((await visit.end(visit.doctor)).status, 200);
    });

    test('D5: whoever comes back while the meeting goes on finds themselves in the same meeting', async () => {
        const { chime, world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        const meetingId = (await visit.get()).body.meeting_id;
        for (let i = 0; i < 3; ++i) assert.equal((await assertWorks(chime, await visit.join(visit.patient))).MeetingId, meetingId);
        await visit.end(visit.doctor);
    });

    test('two people joining at once make one meeting, 20 times over', async () => {
        const { chime, world } = here();
        await chime.latency(40);
        try {
            const visits = await Promise.all(Array.from({ length: 20 }, () => world.visit()));
            await Promise.all(visits.map(async (visit) => {
                const [patient, doctor] = await Promise.all([visit.join(visit.patient), visit.join(visit.doctor)]);
                assert.deepEqual([patient.status, doctor.status], [200, 200], `${patient.text} ${doctor.text}`);
                assert.equal(patient.body.meeting_id, doctor.body.meeting_id);
            }));
            const { meetings } = await chime.state();
            for (const visit of visits) {
                const made = meetings.filter((each) => each.ExternalMeetingId === `pulseone-${visit.id}`);
                assert.equal(made.length, 1);
                assert.deepEqual(made[0].Attendees.map((each) => each.ExternalUserId).sort(), [`doctor-${visit.doctorId}`, `patient-${visit.patientId}`]);
                assert.equal((await visit.get()).body.status, 'ACTIVE');
            }
        } finally {
            await chime.heal();
        }
    });

    test('D20: a visit that is ended while somebody joins stays ended, and no meeting of it stays open', async () => {
        const { chime, world } = here();
        await chime.latency(30);
        try {
            const visits = await Promise.all(Array.from({ length: 12 }, (_, i) => world.visit().then((visit) => visit.to(i % 2 ? 'WAITING' : 'SCHEDULED'))));
            await Promise.all(visits.map(async (visit, i) => {
                const joining = visit.join(visit.doctor);
                await new Promise((resolve) => setTimeout(resolve, i * 6));
                const [joined, ended] = await Promise.all([joining, visit.end(visit.doctor)]);
                assert.equal(ended.status, 200, ended.text);
                assert.ok([200, 400].includes(joined.status), joined.text);
                assert.equal((await visit.get()).body.status, 'COMPLETED');
                assert.equal((await visit.join(visit.patient)).status, 400);
            }));
            const ids = new Set(visits.map((visit) => `pulseone-${visit.id}`));
            await eventually(async () => (await chime.open()).every((each) => !ids.has(each.ExternalMeetingId)), 'all their meetings are deleted', 30_000);
        } finally {
            await chime.heal();
        }
    });

    test('D23: a meeting whose visit was cancelled while it was being made does not stay open', async () => {
        const { chime, world } = here();
        await chime.latency(300);
        const visit = await world.visit();
        const joining = visit.join(visit.patient);
        await eventually(async () => (await chime.calls()).some((each) => each.externalIds.includes(`pulseone-${visit.id}`)), 'AWS is at work');
        assert.equal((await visit.cancel(visit.patient)).status, 200);
        assert.equal((await joining).status, 400);
        await chime.heal();
        await eventually(async () => (await chime.open()).every((each) => each.ExternalMeetingId !== `pulseone-${visit.id}`), 'the meeting is deleted');
    });

    test('D23: a deletion that fails ten times, with the service killed in between, is done in the end', async () => {
        const { chime, world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        const meetingId = (await visit.get()).body.meeting_id;
        const tries = async () => (await chime.calls('DeleteMeeting')).filter((each) => each.meetingId === meetingId);
        await chime.fail({ operation: 'DeleteMeeting', status: 500, count: 4 });
        await chime.throttle({ operation: 'DeleteMeeting', count: 6 });
        const ended = await visit.end(visit.doctor);
        assert.deepEqual([ended.status, ended.body.status], [200, 'COMPLETED']);
        await eventually(async () => (await tries()).length >= 4, 'it was tried');
        await eventually(async () => (await here().health()).jobs.waiting === 1, 'health says what is to do');
        await world.server.kill();
        await world.server.boot();
        await eventually(async () => (await chime.meeting(meetingId)).Ended !== null, 'the meeting is deleted', 120_000);
        assert.deepEqual((await tries()).map((each) => each.status), [500, 500, 500, 500, 429, 429, 429, 429, 429, 429, 204]);
        await eventually(async () => (await here().health()).jobs.waiting === 0, 'nothing is left to do');
    });

    test('D25: leaving deletes the attendee at AWS; coming back makes another', async () => {
        const { chime, world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        const meetingId = (await visit.get()).body.meeting_id;
        const patients = async () => (await chime.meeting(meetingId)).Attendees.filter((each) => each.ExternalUserId.startsWith('patient-'));
        const [before] = await patients();
        const left = await visit.leave(visit.patient);
        assert.deepEqual([left.status, left.body.attendees[1].connected], [200, false]);
        await eventually(async () => (await patients()).length === 0, 'the attendee is gone');
        const back = await visit.join(visit.patient);
        await assertWorks(chime, back);
        assert.equal(back.body.meeting_id, meetingId);
        assert.notEqual(back.body.attendee.attendee_id, before.AttendeeId);
        assert.notEqual(back.body.attendee.join_token, before.JoinToken);
        // Also when leaving and coming back follow each other faster than AWS is told.
        await chime.throttle({ operation: 'DeleteAttendee', count: 3 });
        await visit.leave(visit.patient);
        const hasty = await visit.join(visit.patient);
        await assertWorks(chime, hasty);
        await eventually(async () => (await here().health()).jobs.waiting === 0, 'what was to do is done', 30_000);
        await assertWorks(chime, hasty);
        await visit.end(visit.doctor);
    });

    test('D25: the meeting goes with the visit: ended, cancelled, or left by everybody', async () => {
        const { chime, world } = here();
        const ended = await (await world.visit()).to('COMPLETED');
        const cancelled = await (await world.visit()).to('WAITING');
        await cancelled.cancel(cancelled.patient);
        await eventually(async () => {
            const open = (await chime.open()).map((each) => each.ExternalMeetingId);
            return [ended, cancelled].every((visit) => !open.includes(`pulseone-${visit.id}`));
        }, 'both meetings are deleted');
        assert.equal((await ended.join(ended.patient)).status, 400);
    });

    test('an admin who starts the visit makes the meeting; who comes then finds it', async () => {
        const { chime, world } = here();
        const visit = await world.visit();
        const started = await visit.start(world.admin);
        assert.deepEqual([started.status, started.body.status], [200, 'SCHEDULED']);
        assert.ok(started.body.meeting_id);
        assert.equal((await assertWorks(chime, await visit.join(visit.patient))).MeetingId, started.body.meeting_id);
        await visit.end(visit.doctor);
    });

    test('odd characters in ids are no obstacle', async () => {
        const { chime, world } = here();
        for (const id of ['12 34', "o'neil", 'zoë', '医生', 'a*b?c', 'x'.repeat(55), '%2F/..', 'aws:1']) {
            const pair = { doctorId: `${id}d`, patientId: `${id}p` };
            pair.doctor = world.token('DOCTOR', pair.doctorId);
            pair.patient = world.token('PATIENT', pair.patientId);
            const booked = await world.client.post(sessions, pair.patient, world.booking(pair));
            assert.equal(booked.status, 201, booked.text);
            const joined = await world.client.post(`${sessions}/${booked.body.session_id}/join`, pair.doctor, {});
            await assertWorks(chime, joined);
            assert.equal(joined.body.attendee.user_id, pair.doctorId);
            await world.client.post(`${sessions}/${booked.body.session_id}/end`, pair.doctor, {});
        }
    });

    test('a meeting that was made but never known of, and has ended since, stands in nobody’s way', async () => {
        const { chime, world } = here();
        const visit = await world.visit();
        // AWS does the work, and its answer never comes: as if the service had died at that moment.
        await chime.hang({ operation: 'CreateMeetingWithAttendees', effect: true, count: 1 });
        await chime.hang({ operation: 'CreateMeeting', effect: true, count: 1 });
        const lost = visit.join(visit.patient).catch(() => null);
        const made = await eventually(async () => (await chime.open()).find((each) => each.ExternalMeetingId === `pulseone-${visit.id}`), 'AWS has made it');
        await world.server.kill();
        await lost;
        await chime.heal();
        await chime.end(made.MeetingId);
        await world.server.boot();
        const again = await eventually(async () => {
            const joined = await visit.join(visit.patient);
            return joined.status === 200 && joined;
        }, 'the patient gets in', 10_000);
        assert.notEqual((await assertWorks(chime, again)).MeetingId, made.MeetingId);
        await visit.end(visit.doctor);
    });
});

inNeighbourhood('media regions', { chime: true, env: { AWS_REGION: 'us-east-1', MEDIA_REGIONS: 'eu-central-1,us-east-1' } }, (here) => {
    test('a booking may say where its meeting shall be, within what is allowed', async () => {
        const { chime, world } = here();
        const visit = await world.visit({ media_region: 'eu-central-1' });
        assert.equal(visit.booked.media_region, 'eu-central-1');
        const joined = await visit.join(visit.patient);
        assert.equal((await assertWorks(chime, joined)).MediaRegion, 'eu-central-1');
        assert.equal(joined.body.media_region, 'eu-central-1');
        for (const region of ['ap-south-1', 'mars-north-1', '']) {
            const refused = await world.client.request('POST', sessions, {
                token: visit.patient, text: JSON.stringify(world.booking(visit, { media_region: region })),
            });
            assert.equal(refused.status, 422, region);
        }
    });
});

inNeighbourhood('transcription', { chime: true }, (here) => {
    const transcription = (visit, method, token, body) =>
        here().client.request(method, `${visit.path}/transcription`, { token, ...(body ? { body } : {}) });

    test('the doctor has the meeting written down, in a language or in a specialty’s words, and stops it', async () => {
        const { chime, world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        const meetingId = (await visit.get()).body.meeting_id;
        const plain = await transcription(visit, 'POST', visit.doctor, { language_code: 'de-DE' });
        assert.equal(plain.status, 200, plain.text);
        assert.equal((await chime.meeting(meetingId)).Transcription.EngineTranscribeSettings.LanguageCode, 'de-DE');
        assert.equal((await transcription(visit, 'POST', visit.doctor, { medical: true, specialty: 'CARDIOLOGY' })).status, 200);
        const medical = (await chime.meeting(meetingId)).Transcription.EngineTranscribeMedicalSettings;
        assert.deepEqual([medical.LanguageCode, medical.Specialty, medical.Type], ['en-US', 'CARDIOLOGY', 'CONVERSATION']);
        assert.equal((await transcription(visit, 'DELETE', visit.doctor)).status, 200);
        assert.equal((await chime.meeting(meetingId)).Transcription, null);
        const trail = (await visit.events()).body.map((each) => each.event_type);
        assert.deepEqual(trail.filter((each) => each.startsWith('TRANSCRIPTION')), ['TRANSCRIPTION_STARTED', 'TRANSCRIPTION_STARTED', 'TRANSCRIPTION_STOPPED']);
        await visit.end(visit.doctor);
        assert.equal((await transcription(visit, 'POST', visit.doctor, {})).status, 409);
    });

    test('nobody else may, and nonsense is refused', async () => {
        const { world } = here();
        const visit = await (await world.visit()).to('ACTIVE');
        for (const token of [visit.patient, world.pair().doctor, world.admin]) assert.equal((await transcription(visit, 'POST', token, {})).status, 403);
        const send = (text) => here().client.request('POST', `${visit.path}/transcription`, { token: visit.doctor, text });
        assert.equal((await send('{"language_code":"xx-XX"}')).status, 422);
        assert.equal((await send('{"medical":true,"specialty":"ASTROLOGY"}')).status, 422);
        assert.equal((await here().client.request('POST', `${sessions}/${randomUUID()}/transcription`, { token: visit.doctor, body: {} })).status, 404);
    });
});

inNeighbourhood('transcription on the embedded server', {}, (here) => {
    test('is said to be impossible, clearly', async () => {
        const visit = await (await here().world.visit()).to('ACTIVE');
        for (const method of ['POST', 'DELETE']) {
            const refused = await here().client.request(method, `${visit.path}/transcription`, { token: visit.doctor, ...(method === 'POST' ? { body: {} } : {}) });
            assert.equal(refused.status, 501, refused.text);
            assert.match(refused.body.detail, /Chime/);
        }
    });
});
