// Every operation of Chime SDK Meetings, called by AWS's client for JavaScript.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { client, newMeeting, onEachStore, refusal, sdk } from './lib.mjs';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const all = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };
const listener = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' };

onEachStore(describe, 'operations', { before, after }, {}, (world) => {
    let chime;
    before(() => {
        chime = client(world.server);
    });
    const create = async (more) => (await chime.send(new sdk.CreateMeetingCommand(newMeeting(more)))).Meeting;
    const attend = async (meeting, user, capabilities) =>
        (await chime.send(new sdk.CreateAttendeeCommand({ MeetingId: meeting.MeetingId, ExternalUserId: user, Capabilities: capabilities }))).Attendee;
    const nowhere = randomUUID();

    test('CreateMeeting answers what the client library needs', async () => {
        const features = { Audio: { EchoReduction: 'AVAILABLE' }, Video: { MaxResolution: 'FHD' }, Content: { MaxResolution: 'UHD' }, Attendee: { MaxCount: 10 } };
        const answer = await chime.send(
            new sdk.CreateMeetingCommand(newMeeting({ ExternalMeetingId: 'Visite «Ärztin» #1', MeetingHostId: 'host-1', MeetingFeatures: features, TenantIds: ['ward-1', 'ward-2'], MediaPlacementNetworkType: 'DualStack' })),
        );
        assert.equal(answer.$metadata.httpStatusCode, 200);
        assert.match(answer.$metadata.requestId, guid);
        const meeting = answer.Meeting;
        assert.match(meeting.MeetingId, guid);
        assert.equal(meeting.ExternalMeetingId, 'Visite «Ärztin» #1');
        assert.equal(meeting.MediaRegion, 'eu-central-1');
        assert.equal(meeting.MeetingHostId, 'host-1');
        assert.deepEqual(meeting.MeetingFeatures, features);
        assert.deepEqual(meeting.TenantIds, ['ward-1', 'ward-2']);
        assert.equal(meeting.MeetingArn, `arn:aws:chime:eu-central-1:000000000000:meeting/${meeting.MeetingId}`);
        const { SignalingUrl, AudioHostUrl, EventIngestionUrl } = meeting.MediaPlacement;
        assert.equal(SignalingUrl, `${world.server.url.replace('http', 'ws')}/control/${meeting.MeetingId}`);
        assert.ok(AudioHostUrl);
        assert.equal(EventIngestionUrl, undefined);
        assert.deepEqual((await chime.send(new sdk.GetMeetingCommand({ MeetingId: meeting.MeetingId }))).Meeting, meeting);
    });

    test('the same request token is the same meeting, another body a conflict', async () => {
        const asked = newMeeting({ Tags: [{ Key: 'a', Value: '1' }] });
        const [first, second] = await Promise.all([1, 2].map(() => chime.send(new sdk.CreateMeetingCommand(asked))));
        assert.equal(first.Meeting.MeetingId, second.Meeting.MeetingId);
        const other = await refusal(chime.send(new sdk.CreateMeetingCommand({ ...asked, ExternalMeetingId: 'another' })));
        assert.deepEqual([other.name, other.status], ['ConflictException', 409]);
        assert.notEqual((await create()).MeetingId, first.Meeting.MeetingId);
    });

    test('CreateMeetingWithAttendees, also when it is repeated', async () => {
        const asked = newMeeting({ Attendees: [{ ExternalUserId: 'doctor' }, { ExternalUserId: 'recorder', Capabilities: listener }], Tags: [{ Key: 'k', Value: 'v' }] });
        const first = await chime.send(new sdk.CreateMeetingWithAttendeesCommand(asked));
        assert.deepEqual(first.Errors, []);
        assert.deepEqual(first.Attendees.map((each) => [each.ExternalUserId, each.Capabilities]), [['doctor', all], ['recorder', listener]]);
        const second = await chime.send(new sdk.CreateMeetingWithAttendeesCommand(asked));
        assert.deepEqual([second.Meeting, second.Attendees], [first.Meeting, first.Attendees]);
        assert.deepEqual((await chime.send(new sdk.ListTagsForResourceCommand({ ResourceARN: first.Meeting.MeetingArn }))).Tags, [{ Key: 'k', Value: 'v' }]);
    });

    test('DeleteMeeting ends it for every operation', async () => {
        const meeting = await create();
        const attendee = await attend(meeting, 'doctor');
        const { MeetingId } = meeting;
        assert.equal((await chime.send(new sdk.DeleteMeetingCommand({ MeetingId }))).$metadata.httpStatusCode, 204);
        assert.equal((await chime.send(new sdk.DeleteMeetingCommand({ MeetingId }))).$metadata.httpStatusCode, 204);
        for (const command of [
            new sdk.GetMeetingCommand({ MeetingId }),
            new sdk.CreateAttendeeCommand({ MeetingId, ExternalUserId: 'patient' }),
            new sdk.GetAttendeeCommand({ MeetingId, AttendeeId: attendee.AttendeeId }),
            new sdk.ListAttendeesCommand({ MeetingId }),
            new sdk.DeleteAttendeeCommand({ MeetingId, AttendeeId: attendee.AttendeeId }),
            new sdk.StopMeetingTranscriptionCommand({ MeetingId }),
        ]) {
            const refused = await refusal(chime.send(command));
            assert.deepEqual([refused.name, refused.status], ['NotFoundException', 404], command.constructor.name);
            assert.ok(refused.error instanceof sdk.NotFoundException);
            assert.match(refused.error.RequestId, guid);
        }
    });

    test('an external user id is one attendee', async () => {
        const meeting = await create();
        const first = await attend(meeting, 'doctor 1', listener);
        assert.match(first.AttendeeId, guid);
        assert.match(first.JoinToken, /^[A-Za-z0-9_.-]+$/);
        assert.deepEqual(first.Capabilities, listener);
        assert.deepEqual(await attend(meeting, 'doctor 1'), first);
        const got = await chime.send(new sdk.GetAttendeeCommand({ MeetingId: meeting.MeetingId, AttendeeId: first.AttendeeId }));
        assert.deepEqual(got.Attendee, first);
        assert.deepEqual((await attend(meeting, 'doctor 2')).Capabilities, all);
        await chime.send(new sdk.DeleteAttendeeCommand({ MeetingId: meeting.MeetingId, AttendeeId: first.AttendeeId }));
        const gone = await refusal(chime.send(new sdk.GetAttendeeCommand({ MeetingId: meeting.MeetingId, AttendeeId: first.AttendeeId })));
        assert.equal(gone.name, 'NotFoundException');
        assert.notEqual((await attend(meeting, 'doctor 1')).AttendeeId, first.AttendeeId);
    });

    test('BatchCreateAttendee and ListAttendees, page by page', async () => {
        const { MeetingId } = await create();
        const names = Array.from({ length: 100 }, (_, number) => ({ ExternalUserId: `user-${number}` }));
        const batch = await chime.send(new sdk.BatchCreateAttendeeCommand({ MeetingId, Attendees: names }));
        assert.deepEqual(batch.Errors, []);
        assert.deepEqual(batch.Attendees.map((each) => each.ExternalUserId), names.map((each) => each.ExternalUserId));
        await chime.send(new sdk.BatchCreateAttendeeCommand({ MeetingId, Attendees: [{ ExternalUserId: 'one more' }] }));
        for (const [pageSize, pages] of [[30, 4], [101 - 1, 2]]) {
            const seen = [];
            let count = 0;
            for await (const page of sdk.paginateListAttendees({ client: chime, pageSize }, { MeetingId })) {
                assert.ok(page.Attendees.length <= pageSize);
                seen.push(...page.Attendees.map((each) => each.AttendeeId));
                ++count;
            }
            assert.equal(count, pages);
            assert.equal(new Set(seen).size, 101);
        }
        const wrong = await refusal(chime.send(new sdk.ListAttendeesCommand({ MeetingId, NextToken: 'not a token' })));
        assert.deepEqual([wrong.name, wrong.status], ['BadRequestException', 400]);
        for (const MaxResults of [0, 101]) {
            assert.equal((await refusal(chime.send(new sdk.ListAttendeesCommand({ MeetingId, MaxResults })))).name, 'BadRequestException');
        }
    });

    test('capabilities of one, and of all others', async () => {
        const meeting = await create();
        const { MeetingId } = meeting;
        const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((user) => attend(meeting, user)));
        const updated = await chime.send(new sdk.UpdateAttendeeCapabilitiesCommand({ MeetingId, AttendeeId: one.AttendeeId, Capabilities: listener }));
        assert.deepEqual(updated.Attendee, { ...one, Capabilities: listener });
        const silent = { Audio: 'None', Video: 'Receive', Content: 'None' };
        await chime.send(new sdk.BatchUpdateAttendeeCapabilitiesExceptCommand({ MeetingId, ExcludedAttendeeIds: [{ AttendeeId: two.AttendeeId }], Capabilities: silent }));
        const now = Object.fromEntries((await chime.send(new sdk.ListAttendeesCommand({ MeetingId }))).Attendees.map((each) => [each.AttendeeId, each.Capabilities]));
        assert.deepEqual(now, { [one.AttendeeId]: silent, [two.AttendeeId]: all, [three.AttendeeId]: silent });
        const odd = await refusal(chime.send(new sdk.UpdateAttendeeCapabilitiesCommand({ MeetingId, AttendeeId: one.AttendeeId, Capabilities: { Audio: 'Send', Video: 'Send', Content: 'Receive' } })));
        assert.deepEqual([odd.name, odd.status], ['BadRequestException', 400]);
        const unknown = await refusal(chime.send(new sdk.UpdateAttendeeCapabilitiesCommand({ MeetingId, AttendeeId: nowhere, Capabilities: listener })));
        assert.equal(unknown.name, 'NotFoundException');
    });

    test('tags are listed, replaced, removed, and at most fifty', async () => {
        const { MeetingArn: ResourceARN } = await create({ Tags: [{ Key: 'a', Value: '1' }] });
        const list = async () => (await chime.send(new sdk.ListTagsForResourceCommand({ ResourceARN }))).Tags;
        assert.equal((await chime.send(new sdk.TagResourceCommand({ ResourceARN, Tags: [{ Key: 'a', Value: '2' }, { Key: 'b', Value: '' }] }))).$metadata.httpStatusCode, 204);
        assert.deepEqual(await list(), [{ Key: 'a', Value: '2' }, { Key: 'b', Value: '' }]);
        assert.equal((await chime.send(new sdk.UntagResourceCommand({ ResourceARN, TagKeys: ['a', 'zzz'] }))).$metadata.httpStatusCode, 204);
        assert.deepEqual(await list(), [{ Key: 'b', Value: '' }]);
        const many = await refusal(chime.send(new sdk.TagResourceCommand({ ResourceARN, Tags: Array.from({ length: 50 }, (_, number) => ({ Key: `k${number}`, Value: 'v' })) })));
        assert.deepEqual([many.name, many.status, many.error.ResourceName], ['TooManyTagsException', 400, ResourceARN]);
        for (const arn of [ResourceARN.replace(/[^/]+$/, nowhere), 'arn:aws:s3:::bucket']) {
            const unknown = await refusal(chime.send(new sdk.ListTagsForResourceCommand({ ResourceARN: arn })));
            assert.deepEqual([unknown.name, unknown.status, unknown.error.ResourceName], ['ResourceNotFoundException', 404, arn]);
        }
        const reserved = await refusal(chime.send(new sdk.TagResourceCommand({ ResourceARN, Tags: [{ Key: 'AWS:x', Value: '' }] })));
        assert.equal(reserved.name, 'BadRequestException');
    });

    test('transcription starts and stops', async () => {
        const { MeetingId } = await create();
        const start = (configuration) => chime.send(new sdk.StartMeetingTranscriptionCommand({ MeetingId, TranscriptionConfiguration: configuration }));
        assert.equal((await start({ EngineTranscribeSettings: { LanguageCode: 'de-DE', EnablePartialResultsStabilization: true, PartialResultsStability: 'low', VocabularyName: 'cardiology' } })).$metadata.httpStatusCode, 200);
        assert.equal((await start({ EngineTranscribeMedicalSettings: { LanguageCode: 'en-US', Specialty: 'CARDIOLOGY', Type: 'CONVERSATION' } })).$metadata.httpStatusCode, 200);
        assert.equal((await chime.send(new sdk.StopMeetingTranscriptionCommand({ MeetingId }))).$metadata.httpStatusCode, 200);
        assert.equal((await chime.send(new sdk.StopMeetingTranscriptionCommand({ MeetingId }))).$metadata.httpStatusCode, 200);
        for (const wrong of [
            {},
            { EngineTranscribeSettings: {} },
            { EngineTranscribeSettings: { LanguageCode: 'xx-XX' } },
            { EngineTranscribeSettings: { LanguageCode: 'en-US' }, EngineTranscribeMedicalSettings: { LanguageCode: 'en-US', Specialty: 'UROLOGY', Type: 'DICTATION' } },
            { EngineTranscribeMedicalSettings: { LanguageCode: 'en-US', Type: 'DICTATION' } },
        ]) {
            const refused = await refusal(start(wrong));
            assert.deepEqual([refused.name, refused.status], ['BadRequestException', 400], JSON.stringify(wrong));
        }
    });

    test('limits of every member', async () => {
        const meeting = await create();
        const { MeetingId } = meeting;
        const attendees = (count) => Array.from({ length: count }, (_, number) => ({ ExternalUserId: `u-${number}` }));
        const make = (more) => new sdk.CreateMeetingCommand(newMeeting(more));
        const tag = (Key, Value = '') => make({ Tags: [{ Key, Value }] });
        const wrong = {
            'no region': make({ MediaRegion: undefined }),
            'odd region': make({ MediaRegion: 'Mars 1' }),
            'no external id': make({ ExternalMeetingId: undefined }),
            'short external id': make({ ExternalMeetingId: 'x' }),
            'long external id': make({ ExternalMeetingId: 'x'.repeat(65) }),
            'odd external id': make({ ExternalMeetingId: 'a<b>' }),
            'script of another kind': make({ ExternalMeetingId: '医生医生' }),
            'reserved external id': make({ ExternalMeetingId: 'aWs:x' }),
            'odd token': make({ ClientRequestToken: 'a b' }),
            'long token': make({ ClientRequestToken: 'a'.repeat(65) }),
            'no seats': make({ MeetingFeatures: { Attendee: { MaxCount: 0 } } }),
            'too many seats': make({ MeetingFeatures: { Attendee: { MaxCount: 251 } } }),
            'odd resolution': make({ MeetingFeatures: { Video: { MaxResolution: '8K' } } }),
            'odd echo': make({ MeetingFeatures: { Audio: { EchoReduction: 'yes' } } }),
            'six tenants': make({ TenantIds: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'] }),
            'no tenants': make({ TenantIds: [] }),
            'tenant that repeats itself': make({ TenantIds: ['aaaa'] }),
            'replica': make({ PrimaryMeetingId: MeetingId }),
            'odd network': make({ MediaPlacementNetworkType: 'Ipv9' }),
            'odd topic': make({ NotificationsConfiguration: { SnsTopicArn: 'no arn' } }),
            'empty tag key': tag(''),
            'odd tag key': tag('ä'),
            'long tag key': tag('k'.repeat(129)),
            'long tag value': tag('k', 'v'.repeat(257)),
            'odd tag value': tag('k', '!'),
            'reserved tag': tag('aws:k'),
            'a tag twice': make({ Tags: [{ Key: 'k', Value: '1' }, { Key: 'k', Value: '2' }] }),
            '51 tags': make({ Tags: Array.from({ length: 51 }, (_, number) => ({ Key: `k${number}`, Value: '' })) }),
            '21 attendees': new sdk.CreateMeetingWithAttendeesCommand(newMeeting({ Attendees: attendees(21) })),
            'no attendees': new sdk.CreateMeetingWithAttendeesCommand(newMeeting({ Attendees: [] })),
            '101 attendees': new sdk.BatchCreateAttendeeCommand({ MeetingId, Attendees: attendees(101) }),
            'odd user': new sdk.CreateAttendeeCommand({ MeetingId, ExternalUserId: 'a\u0000b' }),
            'reserved user': new sdk.CreateAttendeeCommand({ MeetingId, ExternalUserId: 'aws:MediaPipeline' }),
            'half of the capabilities': new sdk.CreateAttendeeCommand({ MeetingId, ExternalUserId: 'user', Capabilities: { Audio: 'Send' } }),
            'odd capability': new sdk.CreateAttendeeCommand({ MeetingId, ExternalUserId: 'user', Capabilities: { ...all, Audio: 'Shout' } }),
            'content without video': new sdk.CreateAttendeeCommand({ MeetingId, ExternalUserId: 'user', Capabilities: { ...all, Video: 'Send' } }),
            'no exclusions': new sdk.BatchUpdateAttendeeCapabilitiesExceptCommand({ MeetingId, ExcludedAttendeeIds: [], Capabilities: all }),
            'odd exclusion': new sdk.BatchUpdateAttendeeCapabilitiesExceptCommand({ MeetingId, ExcludedAttendeeIds: [{ AttendeeId: 'me' }], Capabilities: all }),
            'odd meeting id': new sdk.GetMeetingCommand({ MeetingId: "../odd 'id'" }),
            'odd attendee id': new sdk.GetAttendeeCommand({ MeetingId, AttendeeId: 'x y/z' }),
        };
        for (const [what, command] of Object.entries(wrong)) {
            const refused = await refusal(chime.send(command), what);
            assert.deepEqual([refused.name, refused.status], ['BadRequestException', 400], `${what}: ${refused.message}`);
        }
        const right = [
            make({ ExternalMeetingId: `-_&@+=,(){}[]/«».:|'"#aZ9Àÿ \t` }),
            make({ ExternalMeetingId: 'é'.repeat(64) }),
            make({ MeetingFeatures: { Attendee: { MaxCount: 250 } } }),
            make({ TenantIds: ['aaab', 'a1_!@#$'] }),
            make({ NotificationsConfiguration: { SnsTopicArn: 'arn:aws:sns:us-east-1:111122223333:topic' } }),
            tag('a+,-./:;<=Z_', 'x '.repeat(128)),
            new sdk.CreateMeetingWithAttendeesCommand(newMeeting({ Attendees: attendees(20) })),
        ];
        for (const command of right) assert.equal((await chime.send(command)).$metadata.httpStatusCode, 200, JSON.stringify(command.input));
    });

    test('unknown meetings, and ids in capitals', async () => {
        const unknown = await refusal(chime.send(new sdk.GetMeetingCommand({ MeetingId: nowhere })));
        assert.deepEqual([unknown.name, unknown.status], ['NotFoundException', 404]);
        assert.equal((await refusal(chime.send(new sdk.DeleteMeetingCommand({ MeetingId: nowhere })))).name, 'NotFoundException');
        const meeting = await create();
        const same = await chime.send(new sdk.GetMeetingCommand({ MeetingId: meeting.MeetingId.toUpperCase() }));
        assert.equal(same.Meeting.MeetingId, meeting.MeetingId);
    });

    test('what was made is there after a restart', async () => {
        const asked = newMeeting({ Attendees: [{ ExternalUserId: 'doctor', Capabilities: listener }], Tags: [{ Key: 'k', Value: 'v' }] });
        const before = await chime.send(new sdk.CreateMeetingWithAttendeesCommand(asked));
        await world.server.kill();
        await world.server.boot();
        const after = await chime.send(new sdk.CreateMeetingWithAttendeesCommand(asked));
        assert.deepEqual([after.Meeting, after.Attendees], [before.Meeting, before.Attendees]);
        assert.deepEqual((await chime.send(new sdk.ListTagsForResourceCommand({ ResourceARN: before.Meeting.MeetingArn }))).Tags, [{ Key: 'k', Value: 'v' }]);
    });
});
