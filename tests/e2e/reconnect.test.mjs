// How people in a meeting of several come back, with the published client library: after a cut socket, one that is only half
// closed, silence of media or of signalling, and a service that is asked to stop.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serveBarePage } from './lib/bare_page.mjs';
import { indexOf, received, sent } from './lib/frames.mjs';
import { impairedLine } from './lib/impaired.mjs';
import { Clients, count, events, mediaPorts, saw } from './lib/meeting.mjs';
import { gather, hearsExactly, seesAll } from './lib/people.mjs';
import { relay } from './lib/proxy.mjs';
import { SdkMeetings } from './lib/sdk_meetings.mjs';
import { until } from './lib/service.mjs';

/** The meeting, but the signalling of one of its people goes through the relay. */
function withRelay(meeting, person, network) {
    const pass = async (name, capabilities) => {
        const { Meeting, Attendee } = await meeting.pass(name, capabilities);
        if (name !== person) return { Meeting, Attendee };
        const signaling = new URL(Meeting.MediaPlacement.SignalingUrl);
        signaling.port = String(network.port);
        return { Meeting: { ...Meeting, MediaPlacement: { ...Meeting.MediaPlacement, SignalingUrl: signaling.href } }, Attendee };
    };
    return { pass };
}

function rememberCloseCodes() {
    const Native = window.WebSocket;
    window.closeCodes = [];
    window.WebSocket = class extends Native {
        constructor(...args) {
            super(...args);
            this.addEventListener('close', ({ code }) => window.closeCodes.push(code));
        }
    };
}

describe('coming back', { timeout: 240_000 }, () => {
    let line;
    let meetings;
    let bare;
    let clients;
    const networks = [];
    let meeting;
    let mover;
    let stays;
    let leaver;
    /** Two whose connections fall silent at the beginning: that takes long to be noticed. */
    let silent;
    const began = {};

    before(async () => {
        line = await impairedLine(3);
        meetings = await SdkMeetings.create({ PUBLIC_HOST: '127.0.0.1', PUBLIC_MEDIA_PORT: String(line.port), DRAIN_SECONDS: '1' });
        line.target = meetings.service.mediaPort;
        bare = await serveBarePage();
        clients = new Clients(bare.url);
        for (let i = 0; i < 2; ++i) networks.push(await relay(meetings.service.port));

        const [forMover, forSilent] = networks;
        const other = await meetings.meeting();
        const pair = await gather(clients, withRelay(other, 'person-1', forSilent), 2);
        silent = { noMedia: pair[0], noSignals: pair[1] };
        await Promise.all([hearsExactly(pair[0], [pair[1].tone]), hearsExactly(pair[1], [pair[0].tone])]);
        line.setOwn(await mediaPorts(silent.noMedia), { down: true });
        began.noMedia = Date.now();
        forSilent.stall();
        began.noSignals = Date.now();

        meeting = await meetings.meeting();
        [mover, stays, leaver] = await gather(clients, withRelay(meeting, 'person-0', forMover), 3, (i) => ({ camera: i < 2, size: [320, 180, 15], watched: true }));
        await seesAll(mover, [stays]);
        await seesAll(stays, [mover]);
    });

    after(async () => {
        const foreign = clients?.foreign;
        await clients?.close();
        for (const network of networks) await network.close();
        await bare?.close();
        await meetings?.dispose();
        line?.close();
        assert.deepEqual(foreign, [], 'requests to foreign hosts');
    });

    const groupOf = (page, other) => indexOf(page).sources.find((source) => source.attendeeId === other.attendee)?.groupId;
    const departures = async (page, other) => (await events(page, 'presence')).filter(({ values: [id, present] }) => id === other.attendee && !present).length;

    test('whoever comes back learns who left meanwhile; to the others it never went, and is as muted as before', async () => {
        const [network] = networks;
        await mover.evaluate(() => window.client.mute(true));
        await saw(stays, 'muted', (id, muted) => id === mover.attendee && muted);
        const group = groupOf(stays, mover);
        network.open = false;
        network.cut();
        await saw(mover, 'connecting', (reconnecting) => reconnecting);
        await leaver.evaluate(() => window.client.leave());
        await saw(stays, 'presence', (id, present) => id === leaver.attendee && !present);
        network.open = true;
        await saw(mover, 'started', undefined, { from: 1 });
        await saw(mover, 'presence', (id, present) => id === leaver.attendee && !present);
        await Promise.all([seesAll(mover, [stays]), seesAll(stays, [mover])]);
        assert.equal(await departures(mover, stays), 0);
        assert.equal(await departures(stays, mover), 0);
        await saw(stays, 'presence', (id, present) => id === mover.attendee && present, { from: 1 });
        assert.ok(groupOf(stays, mover) > group, 'groups grow: the client takes the highest');

        const [first, second] = [mover.signalling[0], mover.signalling.at(-1)];
        const session = (connection) => connection.out.find((frame) => frame.type === 'JOIN').join.audioSessionId;
        assert.equal(session(second), session(first), 'the same page');
        const subscribe = second.out.find((frame) => frame.type === 'SUBSCRIBE').sub;
        assert.equal(subscribe.duplex, 'DUPLEX');
        assert.equal(subscribe.audioMuted, true);
        assert.ok(subscribe.receiveStreamIds.some((id) => id !== 0), 'camera and the video of the other in one go');
        const roster = second.in.find((frame) => frame.type === 'AUDIO_STREAM_ID_INFO').audioStreamIdInfo.streams;
        assert.deepEqual(roster.map((each) => each.attendeeId).sort(), [mover.attendee, stays.attendee].sort());
        assert.equal((await events(stays, 'muted')).filter(({ values: [id] }) => id === mover.attendee).at(-1).values[1], true);
        await hearsExactly(stays, []);
        await mover.evaluate(() => window.client.mute(false));
        await hearsExactly(stays, [mover.tone]);
    });

    test('a connection that only looks alive gives way to the new one of the same page', async () => {
        const [network] = networks;
        const before = await count(mover, 'started');
        network.cutNear();
        await saw(mover, 'started', undefined, { from: before });
        await Promise.all([seesAll(mover, [stays]), seesAll(stays, [mover]), hearsExactly(stays, [mover.tone])]);
        assert.equal(await departures(stays, mover), 0);
        assert.deepEqual(await events(mover, 'stopped'), []);
    });

    test('25 s without media, and 4 pongs that do not come, make the client connect anew', async (t) => {
        const { noMedia, noSignals } = silent;
        await saw(noMedia, 'started', undefined, { from: 1, patience: 45_000 });
        t.diagnostic(`without media: back after ${Date.now() - began.noMedia} ms at the latest`);
        await saw(noSignals, 'started', undefined, { from: 1, patience: 90_000 });
        t.diagnostic(`without signalling: back after ${Date.now() - began.noSignals} ms`);
        await Promise.all([hearsExactly(noMedia, [noSignals.tone]), hearsExactly(noSignals, [noMedia.tone])]);
        for (const page of [noMedia, noSignals]) assert.deepEqual(await events(page, 'stopped'), []);
    });

    test('a service that is asked to stop sends everybody away with 4500, and all are back when it is', async () => {
        const late = await clients.join(await meeting.pass('late'), { together: true, tone: leaver.tone, camera: false, watched: true }, rememberCloseCodes);
        late.tone = leaver.tone;
        const people = [mover, stays, late];
        await hearsExactly(late, [mover.tone, stays.tone]);
        const before = await Promise.all(people.map((page) => count(page, 'started')));
        const indexes = received(stays, 'INDEX').length;
        const group = groupOf(stays, mover);
        const { code } = await meetings.service.server.terminate();
        assert.equal(code, 0);
        await until('the sockets to close', async () => (await late.evaluate(() => window.closeCodes)).length > 0);
        assert.equal((await late.evaluate(() => window.closeCodes))[0], 4500);
        await meetings.service.start();
        await Promise.all(people.map((page, i) => saw(page, 'started', undefined, { from: before[i], patience: 40_000 })));
        await Promise.all([seesAll(mover, [stays]), seesAll(stays, [mover]), seesAll(late, [mover, stays])]);
        await hearsExactly(late, [mover.tone, stays.tone]);
        await hearsExactly(mover, [stays.tone, late.tone]);
        assert.ok(received(stays, 'INDEX').length > indexes);
        assert.ok(groupOf(stays, mover) > group, 'also over a restart');
        for (const page of people) assert.deepEqual(await events(page, 'stopped'), []);
        assert.equal(sent(late, 'JOIN').at(-1).join.audioSessionId, sent(late, 'JOIN')[0].join.audioSessionId);
    });
});
