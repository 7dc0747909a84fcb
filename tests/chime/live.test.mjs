// What the API does to people who are in a meeting, over the real signalling, and what is told about it.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { sql } from '../lib/time_travel.js';
import { Postgres } from '../lib/postgres.js';
import { Server } from '../lib/server.js';
import { World } from '../lib/world.js';
import { Listener, client, key, keys, newMeeting, onEachStore, sdk, secret, until } from './lib.mjs';
import { Signalling, decode, transcriptionStatus } from './signalling.mjs';

const webhookSecret = 'signs what is told';

const listener = await Listener.start();
after(() => listener.stop());
const env = { CHIME_NOTIFICATIONS_URL: listener.url, WEBHOOK_SECRET: webhookSecret, GONE_AFTER_SECONDS: '2' };

onEachStore(describe, 'a live meeting', { before, after }, { env }, (world) => {
    let chime;
    before(() => {
        chime = client(world.server);
    });
    const create = async (users, more) => {
        const answer = await chime.send(new sdk.CreateMeetingWithAttendeesCommand(newMeeting({ Attendees: users.map((ExternalUserId) => ({ ExternalUserId })), ...more })));
        return [answer.Meeting, ...answer.Attendees];
    };
    const typesOf = (meeting, wanted, patience) =>
        until(
            `${wanted}`,
            () => {
                const types = listener.types(meeting.MeetingId);
                return wanted.every((type) => types.includes(type)) && types;
            },
            patience,
        );

    test('DeleteMeeting: 410, then nobody gets in', async () => {
        const [meeting, doctor, patient] = await create(['doctor', 'patient']);
        const [one, two] = [await Signalling.join(meeting, doctor), await Signalling.join(meeting, patient)];
        await chime.send(new sdk.DeleteMeetingCommand({ MeetingId: meeting.MeetingId }));
        assert.deepEqual([await one.audioStatus(410), await two.audioStatus(410)], [410, 410]);
        assert.equal((await Signalling.join(meeting, doctor)).code, 4410);
    });

    test('DeleteAttendee: 411 for one, the other stays', async () => {
        const [meeting, doctor, patient] = await create(['doctor', 'patient']);
        const [one, two] = [await Signalling.join(meeting, doctor), await Signalling.join(meeting, patient)];
        await chime.send(new sdk.DeleteAttendeeCommand({ MeetingId: meeting.MeetingId, AttendeeId: patient.AttendeeId }));
        assert.equal(await two.audioStatus(411), 411);
        assert.equal((await Signalling.join(meeting, patient)).code, 4403);
        assert.equal(one.code, undefined);
        one.leave();
    });

    test('a token of another meeting opens nothing', async () => {
        const [[meeting], [, stranger]] = [await create(['doctor']), await create(['doctor'])];
        assert.equal((await Signalling.join(meeting, stranger)).code, 4403);
    });

    test('MaxCount is the number of seats', async () => {
        const [meeting, doctor, patient, guest] = await create(['doctor', 'patient', 'guest'], { MeetingFeatures: { Attendee: { MaxCount: 2 } } });
        const [one, two] = [await Signalling.join(meeting, doctor), await Signalling.join(meeting, patient)];
        const third = await Signalling.join(meeting, guest);
        const refusedAt = await third.seen('JOIN_ACK');
        assert.equal(Number(decode(refusedAt[3][0])[1][0]), 409);
        for (const each of [one, two]) each.leave();
    });

    test('transcription is asked for, and the clients learn that there is none', async () => {
        const [meeting, doctor] = await create(['doctor']);
        const one = await Signalling.join(meeting, doctor);
        const { MeetingId } = meeting;
        await chime.send(new sdk.StartMeetingTranscriptionCommand({ MeetingId, TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US', Region: 'auto' } } }));
        const frame = await one.seen('DATA_MESSAGE', (each) => transcriptionStatus(each)?.type === 5);
        assert.deepEqual(transcriptionStatus(frame), {
            type: 5,
            region: 'auto',
            configuration: '{"EngineTranscribeSettings":{"LanguageCode":"en-US","Region":"auto"}}',
            message: 'This installation has no speech recognition',
        });
        await chime.send(new sdk.StopMeetingTranscriptionCommand({ MeetingId }));
        await one.seen('DATA_MESSAGE', (each) => transcriptionStatus(each)?.type === 4);
        one.leave();
    });

    test('what happens is told in order, signed, in the shape of EventBridge', async () => {
        const [meeting, doctor] = await create(['Ärztin 1']);
        const one = await Signalling.join(meeting, doctor);
        await typesOf(meeting, ['AttendeeJoined']);
        await chime.send(new sdk.UpdateAttendeeCapabilitiesCommand({ MeetingId: meeting.MeetingId, AttendeeId: doctor.AttendeeId, Capabilities: { Audio: 'Send', Video: 'None', Content: 'None' } }));
        one.leave();
        await typesOf(meeting, ['AttendeeLeft']);
        await chime.send(new sdk.DeleteMeetingCommand({ MeetingId: meeting.MeetingId }));
        const types = await typesOf(meeting, ['MeetingEnded']);
        assert.deepEqual(types, ['MeetingStarted', 'AttendeeAdded', 'AttendeeJoined', 'AttendeeCapabilitiesUpdated', 'AttendeeLeft', 'MeetingEnded']);
        const mine = listener.taken.filter((each) => each.event.detail.meetingId === meeting.MeetingId);
        const joined = mine[2].event;
        assert.match(joined.id, /^[0-9a-f-]{36}$/);
        assert.ok(Math.abs(Date.now() - joined.detail.timestamp) < 60_000);
        assert.match(joined.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.deepEqual(joined, {
            version: '0',
            id: joined.id,
            'detail-type': 'Chime Meeting State Change',
            source: 'aws.chime',
            account: '000000000000',
            time: joined.time,
            region: 'eu-central-1',
            resources: [],
            detail: {
                version: '0',
                eventType: 'chime:AttendeeJoined',
                timestamp: joined.detail.timestamp,
                meetingId: meeting.MeetingId,
                attendeeId: doctor.AttendeeId,
                externalUserId: 'Ärztin 1',
                networkType: 'Voip',
                externalMeetingId: 'visit-17',
                mediaRegion: 'eu-central-1',
            },
        });
        assert.deepEqual(mine[3].event.detail.attendeeCapabilities, { audio: 'Send', video: 'None', content: 'None' });
        assert.equal(mine[0].event.detail.attendeeId, undefined);
        for (const { headers, text, event } of mine) {
            assert.equal(headers['webhook-id'], event.id);
            const signature = createHmac('sha256', webhookSecret).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`).digest('base64');
            assert.equal(headers['webhook-signature'], `v1,${signature}`);
        }
    });

    test('what is not taken is told again, also after a restart, in order', async () => {
        listener.status = 503;
        const [meeting] = await create(['doctor']);
        await until('a refused notification', () => listener.refused.some((each) => each.event.detail.meetingId === meeting.MeetingId));
        await world.server.kill();
        listener.status = 200;
        await world.server.boot();
        // The right to tell is the dead process's for another half a minute.
        assert.deepEqual(await typesOf(meeting, ['AttendeeAdded'], 90_000), ['MeetingStarted', 'AttendeeAdded']);
        const again = listener.taken.find((each) => each.event.detail.meetingId === meeting.MeetingId);
        assert.equal(again.event.id, listener.refused.find((each) => each.event.detail.meetingId === meeting.MeetingId).event.id);
    });

    test('a connection survives a restart of the service by its token', async () => {
        const [meeting, doctor] = await create(['doctor']);
        await Signalling.join(meeting, doctor);
        await world.server.kill();
        await world.server.boot();
        const again = await Signalling.join(meeting, doctor);
        await chime.send(new sdk.DeleteMeetingCommand({ MeetingId: meeting.MeetingId }));
        assert.equal(await again.audioStatus(410), 410);
    });

    test('a meeting that grows too old ends, whoever is in it', async () => {
        const [meeting, doctor] = await create(['doctor']);
        const one = await Signalling.join(meeting, doctor);
        const past = world.postgres ? "interval '25 hours'" : 25 * 3600 * 1_000_000;
        await sql(world, `update video_consultation_sdk_meetings set created_at = created_at - ${past} where meeting_id = '${meeting.MeetingId}'`);
        assert.equal(await one.audioStatus(410), 410);
        await typesOf(meeting, ['MeetingEnded'], 90_000);
    });

    test('what another process decided is done within a heartbeat', async () => {
        const [meeting, doctor] = await create(['doctor']);
        const one = await Signalling.join(meeting, doctor);
        const now = world.postgres ? "(now() at time zone 'utc')" : `${Date.now()}000`;
        await sql(world, `update video_consultation_sdk_attendees set removed_at = ${now} where attendee_id = '${doctor.AttendeeId}'`);
        assert.equal(await one.audioStatus(411), 411);
    });
});

describe('two nodes on one database', () => {
    test('each answers for the meetings of the other', async () => {
        const postgres = await Postgres.start();
        const servers = [];
        try {
            const databaseUrl = postgres.url(await postgres.createDatabase());
            servers.push(await Server.start({ env: keys, databaseUrl }), await Server.start({ env: keys, databaseUrl }));
            const [here, there] = servers.map((server) => client(server));
            const asked = newMeeting({ Attendees: [{ ExternalUserId: 'doctor' }, { ExternalUserId: 'patient' }] });
            const { Meeting, Attendees } = await here.send(new sdk.CreateMeetingWithAttendeesCommand(asked));
            const again = await there.send(new sdk.CreateMeetingWithAttendeesCommand(asked));
            assert.deepEqual(again.Attendees, Attendees);
            const [one, two] = [await Signalling.join(Meeting, Attendees[0]), await Signalling.join(Meeting, Attendees[1])];
            await there.send(new sdk.DeleteAttendeeCommand({ MeetingId: Meeting.MeetingId, AttendeeId: Attendees[1].AttendeeId }));
            assert.equal(await two.audioStatus(411), 411);
            await there.send(new sdk.StartMeetingTranscriptionCommand({ MeetingId: Meeting.MeetingId, TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } } }));
            await one.seen('DATA_MESSAGE', (each) => transcriptionStatus(each)?.type === 5);
            await there.send(new sdk.DeleteMeetingCommand({ MeetingId: Meeting.MeetingId }));
            assert.equal(await one.audioStatus(410), 410);
        } finally {
            for (const server of servers) await server.stop();
            await postgres.stop();
        }
    });
});

describe('one instance is AWS to another', () => {
    test('visits take place in meetings at /chime, and who is there is known by what it tells', async () => {
        const eventsSecret = 'the key of the API destination';
        const aws = await Server.start({ env: keys });
        const world = await World.open({
            env: {
                MEETING_PROVIDER: 'chime',
                AWS_ACCESS_KEY_ID: key,
                AWS_SECRET_ACCESS_KEY: secret,
                AWS_REGION: 'eu-central-1',
                AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS: `${aws.url}/chime`,
                CHIME_EVENTS_SECRET: eventsSecret,
            },
        });
        try {
            Object.assign(aws.env, { CHIME_NOTIFICATIONS_URL: `${world.server.url}/api/video/chime/events`, CHIME_NOTIFICATIONS_API_KEY: eventsSecret, WEBHOOK_SECRET: webhookSecret });
            await aws.terminate();
            await aws.boot();
            const visit = await world.visit();
            const joined = (await visit.join(visit.patient)).body;
            const one = await Signalling.join({ MediaPlacement: { SignalingUrl: joined.media_placement.signaling_url } }, { JoinToken: joined.attendee.join_token });
            const patient = async () => (await visit.get()).body.attendees.find((each) => each.role === 'PATIENT');
            await until('the patient to be there', async () => (await patient()).connected && (await sql(world, 'select event_type from video_consultation_chime_events')).includes('chime:AttendeeJoined'));
            one.leave();
            await until('the patient to have left', async () => !(await patient()).connected);
            assert.equal((await visit.join(visit.doctor)).status, 200);
            assert.equal((await visit.end(visit.doctor)).status, 200);
            const gone = () => client(aws).send(new sdk.GetMeetingCommand({ MeetingId: joined.meeting_id })).then(() => false, (error) => error.name === 'NotFoundException');
            await until('the end of the meeting', gone);
        } finally {
            await world.close();
            await aws.stop();
        }
    });
});
