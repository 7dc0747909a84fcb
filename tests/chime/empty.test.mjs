// When a meeting ends by itself because nobody is there.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Server } from '../lib/server.js';
import { client, keys, newMeeting, sdk, until } from './lib.mjs';
import { Signalling } from './signalling.mjs';

describe('an empty meeting', () => {
    let server;
    before(async () => {
        server = await Server.start({ env: { ...keys, CHIME_MEETING_EMPTY_MINUTES: '1' } });
    });
    after(() => server?.stop());

    test('ends after its time, a recorder does not hold it, and a speaker does', { timeout: 240_000 }, async () => {
        const chime = client(server);
        const recorder = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' };
        const make = async (Capabilities) => (await chime.send(new sdk.CreateMeetingWithAttendeesCommand(newMeeting({ Attendees: [{ ExternalUserId: 'somebody', Capabilities }] }))));
        const never = await make();
        const recorded = await make(recorder);
        const held = await make();
        const listening = await Signalling.join(recorded.Meeting, recorded.Attendees[0]);
        const speaking = await Signalling.join(held.Meeting, held.Attendees[0]);
        // Without media the server takes a client for lost; it connects again and again, as clients do.
        const ended = (meeting) => chime.send(new sdk.GetMeetingCommand({ MeetingId: meeting.MeetingId })).then(() => false, (error) => error.name === 'NotFoundException');
        await until('the end of the meeting where nobody came', () => ended(never.Meeting), 150_000);
        await until('the end of the recorded meeting', () => ended(recorded.Meeting), 30_000);
        assert.equal((await Signalling.join(recorded.Meeting, recorded.Attendees[0])).code, 4410);
        assert.equal(await ended(held.Meeting), false);
        listening.socket.terminate();
        speaking.socket.terminate();
    });
});
