// What the server does for a receiver whose line carries less than is sent, and for those who watch a sender that cannot be
// reached, as the published client library shows it.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { serveBarePage } from './lib/bare_page.mjs';
import { hears } from './lib/browser.mjs';
import { indexOf, received, sent } from './lib/frames.mjs';
import { impairedLine } from './lib/impaired.mjs';
import { Clients, count, events, mediaPorts, saw } from './lib/meeting.mjs';
import { gather, pictures, seesAll } from './lib/people.mjs';
import { SdkMeetings } from './lib/sdk_meetings.mjs';
import { sleep, until } from './lib/service.mjs';

describe('videos and lines', { timeout: 240_000 }, () => {
    let line;
    let meetings;
    let bare;
    let clients;
    let first;
    let second;
    let viewer;

    before(async () => {
        line = await impairedLine(5);
        meetings = await SdkMeetings.create({ PUBLIC_HOST: '127.0.0.1', PUBLIC_MEDIA_PORT: String(line.port) });
        line.target = meetings.service.mediaPort;
        bare = await serveBarePage();
        clients = new Clients(bare.url);
        const camera = { camera: true, size: [640, 360, 15], noisy: true, watched: true };
        [first, second, viewer] = await gather(clients, await meetings.meeting(), 3, (i) => (i < 2 ? camera : { adaptive: true, watched: true }));
        await seesAll(viewer, [first, second]);
    });

    afterEach(async () => {
        for (const page of [first, second, viewer]) line.setOwn(await mediaPorts(page), {});
    });

    after(async () => {
        const foreign = clients?.foreign;
        await clients?.close();
        await bare?.close();
        await meetings?.dispose();
        line?.close();
        assert.deepEqual(foreign, [], 'requests to foreign hosts');
    });

    const groupOf = (other) => indexOf(viewer).sources.find((source) => source.attendeeId === other.attendee).groupId;
    const lastState = async (other) => (await events(viewer, 'tileState')).filter(({ values: [id] }) => id === other.attendee).at(-1).values[1];

    test('who leaves adaptation to the server is told so, and asks for changes without a negotiation', async () => {
        const [join] = sent(viewer, 'JOIN');
        assert.equal(join.join.serverSideNetworkAdaption, 'BANDWIDTH_PROBING_AND_VIDEO_QUALITY_ADAPTION');
        const [{ joinack }] = received(viewer, 'JOIN_ACK');
        assert.equal(joinack.defaultServerSideNetworkAdaption, 'BANDWIDTH_PROBING_AND_VIDEO_QUALITY_ADAPTION');
        assert.equal(received(first, 'JOIN_ACK')[0].joinack.defaultServerSideNetworkAdaption, undefined);
        const negotiations = sent(viewer, 'SUBSCRIBE').length;
        await viewer.evaluate(([one, other]) => window.client.prefer([[one, 1, 'High'], [other, 2, 'High']]), [first.attendee, second.attendee]);
        const update = await until('the wishes', () => sent(viewer, 'REMOTE_VIDEO_UPDATE').at(-1)?.remoteVideoUpdate.addedOrUpdatedVideoSubscriptions);
        const wish = (other) => update.find((each) => each.attendeeId === other.attendee);
        assert.ok(wish(first).priority > wish(second).priority, 'the larger, the more important');
        assert.equal(wish(first).groupId, groupOf(first));
        await seesAll(viewer, [first, second]);
        assert.equal(sent(viewer, 'SUBSCRIBE').length, negotiations);

        // What is not wanted any more is named before the negotiation that stops it.
        const removed = await count(viewer, 'tileRemoved');
        await viewer.evaluate((one) => window.client.prefer([[one, 1, 'High']]), first.attendee);
        await saw(viewer, 'tileRemoved', undefined, { from: removed });
        assert.equal(sent(viewer, 'REMOTE_VIDEO_UPDATE').at(-1).remoteVideoUpdate.removedVideoSubscriptionMids.length, 1);
        await viewer.evaluate(([one, other]) => window.client.prefer([[one, 1, 'High'], [other, 2, 'High']]), [first.attendee, second.attendee]);
        await seesAll(viewer, [first, second]);
    });

    test('every four seconds clients are told the rates of what is sent; who leaves adaptation to the server, its line\'s too', async () => {
        const rates = await until('rates', () => received(viewer, 'BITRATES').length >= 2 && received(viewer, 'BITRATES'));
        for (const [i, one] of rates.slice(1).entries()) assert.ok(Math.abs(one.at - rates[i].at - 4000) < 2500, `${one.at - rates[i].at} ms`);
        const ids = indexOf(viewer).sources.map((source) => source.streamId).sort();
        const { bitrates } = rates.at(-1).bitrates;
        assert.deepEqual(bitrates.map((each) => each.sourceStreamId).sort(), ids);
        await until('measured rates', () => received(viewer, 'BITRATES').at(-1).bitrates.bitrates.every((each) => each.avgBitrateBps > 100_000));
        await until('a figure for the line', () => received(viewer, 'BITRATES').at(-1).bitrates.serverAvailableOutgoingBitrate > 500);
        assert.ok(received(first, 'BITRATES').every((frame) => frame.bitrates.serverAvailableOutgoingBitrate === undefined));
    });

    test('what does not fit is lowered, then paused by the server, the less important first, and comes back with the line', async () => {
        const ports = await mediaPorts(viewer);
        line.setOwn(ports, { rate: 900, delay: 20 }, ['down']);
        await until('senders to send less', () => received(viewer, 'BITRATES').at(-1).bitrates.bitrates.every((each) => each.avgBitrateBps < 600_000), 30_000);
        await seesAll(viewer, [first, second]);
        assert.deepEqual(received(viewer, 'PAUSE'), [], 'nothing need be paused for that');
        const before = await count(viewer, 'tileState');
        line.setOwn(ports, { rate: 300, delay: 20 }, ['down']);
        await saw(viewer, 'tileState', (id, { paused }) => id === second.attendee && paused, { from: before, patience: 30_000 });
        assert.ok(received(viewer, 'PAUSE').some((frame) => frame.pause.groupIds.includes(groupOf(second))));
        await seesAll(viewer, [first]);
        await hears(viewer);
        assert.equal((await lastState(second)).paused, true);
        await until('the picture to stand still', async () => {
            const still = (await pictures(viewer))[second.attendee].frames;
            await sleep(1500);
            return (await pictures(viewer))[second.attendee].frames === still;
        });

        const later = await count(viewer, 'tileState');
        line.setOwn(ports, {});
        await saw(viewer, 'tileState', (id, { paused }) => id === second.attendee && !paused, { from: later, patience: 40_000 });
        assert.ok(received(viewer, 'RESUME').some((frame) => frame.pause.groupIds.includes(groupOf(second))));
        await seesAll(viewer, [first, second]);
        await Promise.all([seesAll(first, [second]), seesAll(second, [first])]);
        assert.deepEqual(await events(viewer, 'suggestStopVideo'), []);
    });

    test('a sender that cannot be reached is shown as such, with its last picture, and comes back by itself', async () => {
        const ports = await mediaPorts(first);
        const before = await count(viewer, 'tileState');
        line.setOwn(ports, { down: true }, ['up']);
        await saw(viewer, 'tileState', (id, { poor, active }) => id === first.attendee && poor && !active, { from: before, patience: 20_000 });
        const { streamId } = indexOf(viewer).sources.find((source) => source.attendeeId === first.attendee);
        assert.deepEqual(indexOf(viewer).pausedAtSourceIds, [streamId]);
        await saw(second, 'signal', (id, strength) => id === first.attendee && strength < 1);
        await seesAll(viewer, [second]);
        const later = await count(viewer, 'tileState');
        line.setOwn(ports, {});
        await saw(viewer, 'tileState', (id, { poor, active }) => id === first.attendee && !poor && active, { from: later });
        await Promise.all([seesAll(viewer, [first, second]), seesAll(first, [second])]);
        assert.equal((await events(first, 'connecting')).length, 1, 'without a new connection');
        assert.equal((await events(viewer, 'presence')).filter(({ values: [, present] }) => !present).length, 0);
    });

    test('where much is lost on the way up, audio carries older frames along, and pictures are repaired', async () => {
        const ports = await mediaPorts(second);
        const audio = { packets: 0, bytes: 0, kinds: new Set() };
        line.tap = (packet, port) => {
            const type = packet[1] & 0x7f; // Chromium numbers Opus 111 and RED 63.
            if (!ports.includes(port) || packet[0] >> 6 !== 2 || ![63, 111].includes(type)) return;
            audio.kinds.add(type);
            audio.packets += 1;
            audio.bytes += packet.length;
        };
        const size = async () => {
            Object.assign(audio, { packets: 0, bytes: 0 });
            await sleep(2000);
            return audio.bytes / audio.packets;
        };
        const before = await size();
        line.setOwn(ports, { loss: 0.2 }, ['up']);
        await until('longer packets', async () => (await size()) > before * 1.15, 40_000);
        assert.deepEqual([...audio.kinds], [63], 'RED, whatever is in it');
        await hears(viewer);
        await seesAll(viewer, [second]);
    });
});
