// The stand-in for Chime that the other tests here rely on, driven by the official AWS SDK for JavaScript: a second
// opinion on paths, shapes and signatures.
import assert from 'node:assert/strict';
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Chime, sdk } from '../lib/chime.js';

const everything = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };
const meeting = (changes = {}) => ({ ClientRequestToken: randomUUID(), ExternalMeetingId: `pulseone-${randomUUID()}`, MediaRegion: 'us-east-1', ...changes });

describe('the stand-in for Chime', () => {
    let chime;
    let client;
    const send = (name, input, by = client) => by.send(new sdk[`${name}Command`](input));
    const refused = (promise, name, status) =>
        assert.rejects(promise, (error) => {
            assert.deepEqual([error.name, error.$metadata?.httpStatusCode], [name, status], error);
            return true;
        });

    before(async () => {
        chime = await Chime.start();
        client = chime.client();
    });
    after(async () => {
        client?.destroy();
        await chime?.stop();
    });
    beforeEach(() => chime.reset());

    test('the official client reaches every operation and understands every answer', async () => {
        const input = meeting({
            MeetingFeatures: { Audio: { EchoReduction: 'AVAILABLE' }, Video: { MaxResolution: 'HD' }, Content: { MaxResolution: 'FHD' } },
            Tags: [{ Key: 'Service', Value: 'PulseOne' }],
        });
        const { Meeting: made } = await send('CreateMeeting', input);
        assert.equal(made.ExternalMeetingId, input.ExternalMeetingId);
        assert.equal(made.MediaRegion, 'us-east-1');
        assert.match(made.MeetingArn, /^arn:aws:chime:us-east-1:\d{12}:meeting\//);
        for (const name of ['AudioHostUrl', 'AudioFallbackUrl', 'SignalingUrl', 'TurnControlUrl', 'EventIngestionUrl']) assert.ok(made.MediaPlacement[name], name);
        const id = { MeetingId: made.MeetingId };
        assert.deepEqual((await send('GetMeeting', id)).Meeting, made);

        const { Attendee: doctor } = await send('CreateAttendee', { ...id, ExternalUserId: 'doctor-12' });
        assert.ok(doctor.JoinToken.length >= 2);
        assert.deepEqual(doctor.Capabilities, everything);
        const batch = await send('BatchCreateAttendee', { ...id, Attendees: [{ ExternalUserId: 'patient-34' }, { ExternalUserId: 'doctor-12' }] });
        assert.deepEqual(batch.Errors, []);
        assert.deepEqual(batch.Attendees[1], doctor);
        const one = { ...id, AttendeeId: doctor.AttendeeId };
        assert.deepEqual((await send('GetAttendee', one)).Attendee, doctor);
        const mute = { Audio: 'Receive', Video: 'SendReceive', Content: 'None' };
        assert.deepEqual((await send('UpdateAttendeeCapabilities', { ...one, Capabilities: mute })).Attendee.Capabilities, mute);
        await send('BatchUpdateAttendeeCapabilitiesExcept', { ...id, ExcludedAttendeeIds: [{ AttendeeId: doctor.AttendeeId }], Capabilities: { Audio: 'None', Video: 'None', Content: 'None' } });
        const page = await send('ListAttendees', { ...id, MaxResults: 1 });
        assert.equal(page.Attendees.length, 1);
        const rest = await send('ListAttendees', { ...id, MaxResults: 1, NextToken: page.NextToken });
        assert.deepEqual([rest.Attendees[0].ExternalUserId, rest.Attendees[0].Capabilities.Audio, rest.NextToken], ['patient-34', 'None', undefined]);

        const engine = { EngineTranscribeMedicalSettings: { LanguageCode: 'en-US', Specialty: 'CARDIOLOGY', Type: 'CONVERSATION' } };
        await send('StartMeetingTranscription', { ...id, TranscriptionConfiguration: engine });
        await send('StartMeetingTranscription', { ...id, TranscriptionConfiguration: engine });
        assert.deepEqual((await chime.meeting(made.MeetingId)).Transcription, engine);
        await send('StopMeetingTranscription', id);
        assert.equal((await chime.meeting(made.MeetingId)).Transcription, null);

        await send('TagResource', { ResourceARN: made.MeetingArn, Tags: [{ Key: 'Type', Value: 'VideoConsultation' }] });
        await send('UntagResource', { ResourceARN: made.MeetingArn, TagKeys: ['Service'] });
        assert.deepEqual((await send('ListTagsForResource', { ResourceARN: made.MeetingArn })).Tags, [{ Key: 'Type', Value: 'VideoConsultation' }]);

        await send('DeleteAttendee', one);
        await refused(send('GetAttendee', one), 'NotFoundException', 404);
        assert.equal((await send('DeleteMeeting', id)).$metadata.httpStatusCode, 204);
        for (const [name, more] of [['GetMeeting'], ['DeleteMeeting'], ['ListAttendees'], ['DeleteAttendee', { AttendeeId: doctor.AttendeeId }], ['CreateAttendee', { ExternalUserId: 'doctor-12' }]]) {
            await refused(send(name, { ...id, ...more }), 'NotFoundException', 404);
        }

        const both = await send('CreateMeetingWithAttendees', meeting({ Attendees: [{ ExternalUserId: 'doctor-12' }, { ExternalUserId: 'patient-34' }] }));
        assert.deepEqual(both.Attendees.map((each) => each.ExternalUserId), ['doctor-12', 'patient-34']);
        assert.deepEqual(both.Errors, []);
        const called = Object.keys((await chime.state()).counts).sort();
        const known = Object.keys(sdk).filter((name) => name.endsWith('Command') && name !== '$Command').map((name) => name.slice(0, -7)).sort();
        assert.deepEqual(called, known);
    });

    test('one token makes one meeting; another request with a used token is a conflict', async () => {
        const input = meeting();
        const first = await send('CreateMeeting', input);
        assert.deepEqual((await send('CreateMeeting', input)).Meeting, first.Meeting);
        await refused(send('CreateMeeting', { ...input, MediaRegion: 'eu-west-1' }), 'ConflictException', 409);
        await refused(send('CreateMeetingWithAttendees', { ...input, Attendees: [{ ExternalUserId: 'doctor-1' }] }), 'ConflictException', 409);
        await chime.end(first.Meeting.MeetingId);
        assert.equal((await send('CreateMeeting', input)).Meeting.MeetingId, first.Meeting.MeetingId);
        await refused(send('GetMeeting', { MeetingId: first.Meeting.MeetingId }), 'NotFoundException', 404);
        const before = (await chime.state()).meetings.length;
        await chime.latency(100);
        const twice = meeting();
        const both = await Promise.allSettled([send('CreateMeeting', twice), send('CreateMeeting', twice)]);
        assert.deepEqual(both.map((each) => each.status).sort(), ['fulfilled', 'rejected']);
        assert.equal(both.find((each) => each.reason).reason.name, 'ConflictException');
        assert.equal((await chime.state()).meetings.length, before + 1);
    });

    test('whoever signs wrongly is refused', async () => {
        for (const [options, name] of [
            [{ secret: 'another secret' }, 'InvalidSignatureException'],
            [{ key: 'AKIDUNKNOWN' }, 'UnrecognizedClientException'],
            [{ token: 'nobody gave this' }, 'UnrecognizedClientException'],
            [{ region: 'mars-north-1' }, 'InvalidSignatureException'],
        ]) {
            const stranger = chime.client(options);
            await refused(send('CreateMeeting', meeting(), stranger), name, 403);
            stranger.destroy();
        }
        const temporary = await Chime.start({ token: 'session/token+with=odd characters' });
        const holder = temporary.client();
        assert.ok((await send('CreateMeeting', meeting(), holder)).Meeting);
        holder.destroy();
        await temporary.stop();
    });

    test('whatever is changed on the way is noticed', async () => {
        const body = JSON.stringify(meeting());
        const signer = chime.client();
        let signed;
        // The client's own request, caught when it is signed.
        signer.middlewareStack.add((next) => async (args) => {
            signed = args.request;
            return next(args);
        }, { step: 'finalizeRequest', priority: 'low' });
        await send('CreateMeeting', JSON.parse(body), signer);
        signer.destroy();
        const replay = (changes = {}) =>
            new Promise((resolve, reject) => {
                const headers = { ...signed.headers, ...changes.headers };
                for (const name of changes.without ?? []) delete headers[name];
                const request = http.request({ host: '127.0.0.1', port: chime.port, method: changes.method ?? signed.method, path: changes.path ?? signed.path, headers }, (answer) => {
                    let text = '';
                    answer.on('data', (chunk) => (text += chunk));
                    answer.on('end', () => resolve([answer.statusCode, JSON.parse(text).Code]));
                });
                request.on('error', reject);
                request.end(changes.body ?? signed.body);
            });
        assert.deepEqual(await replay(), [200, undefined]);
        const invalid = [403, 'InvalidSignatureException'];
        assert.deepEqual(await replay({ body: signed.body.replace('us-east-1', 'us-west-2') }), invalid);
        assert.deepEqual(await replay({ path: '/meetings?operation=create-attendees' }), invalid);
        assert.deepEqual(await replay({ method: 'PUT' }), invalid);
        assert.deepEqual(await replay({ headers: { host: 'elsewhere' } }), invalid);
        assert.deepEqual(await replay({ headers: { 'content-type': 'text/plain' } }), invalid);
        assert.deepEqual(await replay({ headers: { 'x-amz-date': '20200101T000000Z' } }), invalid);
        assert.deepEqual(await replay({ headers: { 'x-amz-content-sha256': '0'.repeat(64) } }), invalid);
        assert.deepEqual(await replay({ headers: { 'x-amz-extra': 'unsigned' } }), invalid);
        assert.deepEqual(await replay({ without: ['authorization'] }), [403, 'MissingAuthenticationTokenException']);
    });

    test('limits hold', async () => {
        const bad = (changes) => refused(send('CreateMeeting', meeting(changes)), 'BadRequestException', 400);
        await bad({ ClientRequestToken: 'x' });
        await bad({ ClientRequestToken: 'x'.repeat(65) });
        await bad({ ClientRequestToken: 'white space' });
        await bad({ ExternalMeetingId: 'm'.repeat(65) });
        await bad({ ExternalMeetingId: 'aws:mine' });
        await bad({ ExternalMeetingId: 'a*b' });
        await bad({ MediaRegion: 'mars-north-1' });
        await bad({ MediaRegion: undefined });
        await bad({ Tags: [{ Key: 'k', Value: 'v'.repeat(257) }] });
        await bad({ Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: 'v' })) });
        await bad({ MeetingFeatures: { Attendee: { MaxCount: 251 } } });
        const { Meeting: made } = await send('CreateMeeting', meeting({ MeetingFeatures: { Content: { MaxResolution: 'None' } } }));
        const attendee = (input) => refused(send('CreateAttendee', { MeetingId: made.MeetingId, ...input }), 'BadRequestException', 400);
        await attendee({ ExternalUserId: 'x' });
        await attendee({ ExternalUserId: 'x'.repeat(65) });
        await attendee({ ExternalUserId: 'AWS:x' });
        await attendee({ ExternalUserId: 'xy', Capabilities: { Audio: 'None', Video: 'Send', Content: 'Receive' } });
        await attendee({ ExternalUserId: 'xy', Capabilities: everything });
        await refused(send('StartMeetingTranscription', { MeetingId: made.MeetingId, TranscriptionConfiguration: {} }), 'BadRequestException', 400);
        await refused(send('GetMeeting', { MeetingId: 'not-a-guid' }), 'BadRequestException', 400);
        const odd = "aé#'[] \"/|:«»";
        assert.equal((await send('CreateAttendee', { MeetingId: made.MeetingId, ExternalUserId: odd })).Attendee.ExternalUserId, odd);
    });

    test('what it is told to do wrong, it does', async () => {
        const { Meeting: made } = await send('CreateMeeting', meeting());
        const id = { MeetingId: made.MeetingId };
        await chime.throttle({ operation: 'GetMeeting', count: 2 });
        await refused(send('GetMeeting', id), 'ThrottlingException', 429);
        await send('ListAttendees', id);
        await refused(send('GetMeeting', id), 'ThrottlingException', 429);
        await send('GetMeeting', id);
        await chime.fail({ status: 503, code: 'ServiceUnavailableException', retryAfter: 7 });
        await assert.rejects(send('GetMeeting', id), (error) => error.name === 'ServiceUnavailableException' && error.$response.headers['retry-after'] === '7');
        await chime.heal();
        await chime.cut({ operation: 'CreateAttendee', count: 1 });
        await assert.rejects(send('CreateAttendee', { ...id, ExternalUserId: 'doctor-1' }));
        assert.equal((await chime.meeting(made.MeetingId)).Attendees.length, 1);
        await chime.hang({ count: 1 });
        const abort = new AbortController();
        const silent = client.send(new sdk.GetMeetingCommand(id), { abortSignal: abort.signal });
        setTimeout(() => abort.abort(), 200);
        await assert.rejects(silent, { name: 'AbortError' });
        const statuses = (await chime.calls('GetMeeting')).map((each) => each.status);
        assert.deepEqual(statuses, [429, 429, 200, 503, null]);
        await chime.latency(120);
        const begun = Date.now();
        await send('GetMeeting', id);
        assert.ok(Date.now() - begun >= 119);
        await chime.accept([{ key: 'AKIDNEW', secret: 'new', token: 't' }]);
        await refused(send('GetMeeting', id), 'UnrecognizedClientException', 403);
        const renewed = chime.client({ key: 'AKIDNEW', secret: 'new', token: 't' });
        await send('GetMeeting', id, renewed);
        renewed.destroy();
    });

    test('events arrive as EventBridge sends them, also twice and in another order', async () => {
        const { Meeting: made } = await send('CreateMeeting', meeting());
        const got = [];
        const target = http.createServer((request, answer) => {
            let text = '';
            request.on('data', (chunk) => (text += chunk));
            request.on('end', () => {
                got.push({ key: request.headers['x-api-key'], path: request.url, event: JSON.parse(text) });
                answer.writeHead(202).end();
            });
        });
        await new Promise((resolve) => target.listen(0, '127.0.0.1', resolve));
        const delivered = await chime.events({
            url: `http://127.0.0.1:${target.address().port}/api/video/chime/events`,
            headers: { 'X-Api-Key': 'k' },
            copies: 2,
            shuffle: 7,
            events: [
                { eventType: 'chime:MeetingStarted', meetingId: made.MeetingId },
                { eventType: 'chime:AttendeeJoined', meetingId: made.MeetingId, attendeeId: randomUUID(), externalUserId: 'doctor-12', timestamp: 1_700_000_000_000 },
            ],
        });
        await new Promise((resolve) => target.close(resolve));
        assert.deepEqual(delivered.map((each) => each.status), [202, 202, 202, 202]);
        assert.equal(new Set(got.map((each) => each.event.id)).size, 2);
        assert.ok(got.every((each) => each.key === 'k' && each.path === '/api/video/chime/events'));
        const joined = got.find((each) => each.event.detail.eventType === 'chime:AttendeeJoined').event;
        assert.deepEqual([joined['detail-type'], joined.source, joined.time, joined.detail.timestamp, joined.detail.externalMeetingId], [
            'Chime Meeting State Change', 'aws.chime', '2023-11-14T22:13:20Z', 1_700_000_000_000, made.ExternalMeetingId,
        ]);
    });

    test('200 callers at a time, answered after 50 ms, are not kept waiting much longer', async (t) => {
        await chime.latency(50);
        const caller = chime.client();
        caller.config.requestHandler.updateHttpClientConfig?.('httpAgent', new http.Agent({ keepAlive: true, maxSockets: 200 }));
        const { Meeting: made } = await send('CreateMeeting', meeting());
        const begun = Date.now();
        await Promise.all(Array.from({ length: 200 }, async (_, who) => {
            for (let round = 0; round < 3; ++round) await send('CreateAttendee', { MeetingId: made.MeetingId, ExternalUserId: `patient-${who}` }, caller);
        }));
        const rate = (600_000 / (Date.now() - begun));
        caller.destroy();
        t.diagnostic(`${rate.toFixed(0)} calls a second, the official client included`);
        assert.ok(rate > 100, `${rate} calls a second`);
    });
});
