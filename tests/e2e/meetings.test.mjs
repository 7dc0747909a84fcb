// Meetings of many with the published client library, unmodified: everybody hears and sees everybody, and what one of them does
// reaches the others as it should.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { serveBarePage } from './lib/bare_page.mjs';
import { hears } from './lib/browser.mjs';
import { indexOf, received, sent } from './lib/frames.mjs';
import { Clients, count, events, saw } from './lib/meeting.mjs';
import { gather as come, hearsExactly, kTones, pictureOf, pictures, seesAll, tonesHeard } from './lib/people.mjs';
import { SdkMeetings } from './lib/sdk_meetings.mjs';
import { sleep, until } from './lib/service.mjs';

describe('a meeting of many', { timeout: 600_000 }, () => {
    let meetings;
    let bare;
    let clients;
    let meeting;

    before(async () => {
        meetings = await SdkMeetings.create({ GONE_AFTER_SECONDS: '3' });
        bare = await serveBarePage();
    });

    afterEach(async () => {
        const foreign = clients?.foreign ?? [];
        await clients?.close();
        clients = undefined;
        assert.deepEqual(foreign, [], 'requests to foreign hosts');
    });

    after(async () => {
        await bare?.close();
        await meetings?.dispose();
    });

    async function gather(many, options) {
        clients = new Clients(bare.url);
        meeting = await meetings.meeting();
        return come(clients, meeting, many, options);
    }

    /** The layers in which a page sends video of that codec. */
    function scalability(page, codec) {
        return page.evaluate(async (wanted) => {
            for (const peer of window.peers) {
                const report = await peer.getStats();
                for (const entry of report.values()) {
                    if (entry.type === 'outbound-rtp' && report.get(entry.codecId)?.mimeType === wanted) return entry.scalabilityMode;
                }
            }
            return null;
        }, codec);
    }

    test('three people hear both others at once and never themselves; a muted one is not heard', async () => {
        const people = await gather(3);
        await Promise.all(people.map((person) => hearsExactly(person, people.filter((other) => other !== person).map((other) => other.tone))));
        const [a, b, c] = people;
        await b.evaluate(() => window.client.mute(true));
        for (const other of [a, c]) await saw(other, 'muted', (id, muted) => id === b.attendee && muted);
        await hearsExactly(a, [c.tone]);
        await hearsExactly(c, [a.tone]);
        await hearsExactly(b, [a.tone, c.tone]);
        await b.evaluate(() => window.client.mute(false));
        await hearsExactly(a, [b.tone, c.tone]);
        // Back to two: the packets are passed on again, without a hole.
        await c.evaluate(() => window.client.leave());
        await saw(a, 'presence', (id, present) => id === c.attendee && !present);
        await hearsExactly(a, [b.tone]);
        await hearsExactly(b, [a.tone]);
        for (const person of [a, b]) assert.deepEqual(await events(person, 'poor'), []);
    });

    test('five people see and hear all others', async () => {
        const people = await gather(5, (i) => ({ camera: true, size: [320, 180, 15], watched: i === 0 }));
        const others = (person) => people.filter((other) => other !== person);
        await Promise.all(people.map((person) => seesAll(person, others(person), 60_000)));
        // From the INDEX alone each of five takes 800 kbit/s instead of the 1500 that two would; the last one counted four and itself not.
        const rates = () => indexOf(people[0]).sources.map(({ maxBitrateKbps }) => maxBitrateKbps).sort((one, other) => one - other);
        await until('senders to make room', () => rates().slice(0, 3).every((rate) => rate <= 800) && rates()[3] <= 1000);
        assert.deepEqual(indexOf(people[0]).sources.map((source) => source.attendeeId).sort(), others(people[0]).map(({ attendee }) => attendee).sort());
        assert.equal(indexOf(people[0]).numParticipants, 5);
        for (const person of people) {
            for (const other of others(person)) await saw(person, 'volume', (id) => id === other.attendee);
        }
        // The loudest four are mixed: one of five keeps silent, so that all the others are to be heard.
        await people[0].evaluate(() => window.client.mute(true));
        for (const person of people) await hearsExactly(person, others(person).filter((other) => other !== people[0]).map((other) => other.tone));
        // A camera goes and comes back: the others lose and find it.
        const [first, second, ...rest] = people;
        await first.evaluate(() => window.client.camera(false));
        for (const other of [second, ...rest]) await saw(other, 'sources', (ids) => ids.length === 3, { from: 0 });
        await first.evaluate(() => window.client.camera(true));
        await seesAll(second, others(second));
    });

    test('a share is seen and heard by the others, in stereo, and stops; the third is refused', async () => {
        const people = await gather(3, () => ({ stereo: true }));
        const [a, b, c] = people;
        await a.evaluate(() => window.client.share({ tone: 3150, pan: -1 }));
        await saw(a, 'shareStarted');
        const share = `${a.attendee}#content`;
        for (const other of [b, c]) {
            await saw(other, 'presence', (id, present) => id === share && present);
            await saw(other, 'tileState', (id, state) => id === share && state.content);
            await pictureOf(other, share, (picture) => picture.frames > 5 && picture.width === 640, 'the share to be decoded');
        }
        let heard;
        await until('the sound of the share on the left only', async () => {
            heard = await tonesHeard(b);
            return heard[0].includes(3150) && !heard[1].includes(3150) && heard[0].includes(a.tone) && heard[1].includes(c.tone);
        }).catch((error) => {
            throw new Error(`${error.message}; heard: ${JSON.stringify(heard)}`);
        });
        assert.ok(!(await tonesHeard(a))[0].includes(3150), 'who shares does not hear it back');
        await b.evaluate(() => window.client.share({}));
        await saw(b, 'shareStarted');
        await c.evaluate(() => window.client.share({}));
        await saw(c, 'shareStopped');
        assert.deepEqual(await events(c, 'stopped'), [], 'the call of the third goes on');
        await a.evaluate(() => window.client.unshare());
        await saw(a, 'shareStopped');
        for (const other of [b, c]) await saw(other, 'presence', (id, present) => id === share && !present);
        await hearsExactly(c, [a.tone, b.tone]);
    });

    test('messages reach the others, with their sender and time; those that live on reach who comes later; too many come back', async () => {
        const [a, b] = await gather(2);
        await a.evaluate(() => {
            window.client.say('chat', 'good morning', 60_000);
            window.client.say('notes', 'only now');
        });
        const { values } = await saw(b, 'message', (topic, text) => topic === 'chat' && text === 'good morning');
        assert.deepEqual(values.slice(2, 5), [a.attendee, 'person-0', false]);
        assert.ok(Math.abs(values[5] - Date.now()) < 60_000, 'the time of the server');
        await saw(b, 'message', (topic) => topic === 'notes');
        assert.deepEqual(await events(a, 'message'), [], 'none comes back to who sent it');
        const late = await clients.join(await meeting.pass('person-2'), { together: true, tone: kTones[2], camera: false });
        await saw(late, 'message', (topic, text) => topic === 'chat' && text === 'good morning');
        assert.deepEqual((await events(late, 'message')).filter((event) => event.values[0] === 'notes'), []);
        await a.evaluate(() => {
            for (let i = 0; i < 400; ++i) window.client.say('chat', `flood ${i}`, 0);
        });
        await saw(a, 'message', (_topic, _text, _id, _user, throttled) => throttled);
        await hears(b);
        assert.deepEqual(await events(a, 'stopped'), []);
        await meeting.transcribe();
        for (const each of [a, b, late]) await saw(each, 'transcript', (type, why) => type === 'failed' && why.includes('no speech recognition'));
    });

    test('a picture is paused and goes on by the receiver\'s wish', async () => {
        const [a, b] = await gather(2, (i) => ({ camera: i === 0 }));
        await seesAll(b, [a]);
        await b.evaluate((attendee) => window.client.pause(attendee, true), a.attendee);
        await until('the picture to stand still', async () => {
            const before = (await pictures(b))[a.attendee].frames;
            await sleep(1000);
            return (await pictures(b))[a.attendee].frames === before;
        });
        await b.evaluate((attendee) => window.client.pause(attendee, false), a.attendee);
        await seesAll(b, [a]);
    });

    test('simulcast: both layers flow; who asks for the small one gets it without a gap', async () => {
        const wishes = { camera: true, size: [1280, 720, 15], simulcast: true, adaptive: 'client', watched: true };
        const people = await gather(3, (i) => (i < 2 ? wishes : { camera: true, size: [320, 180, 15], adaptive: true }));
        const [a, b, c] = people;
        assert.equal(received(b, 'INDEX').find(({ index }) => index.sources?.length).index.sources.length, 1, 'one layer for two people');
        await pictureOf(b, a, (picture) => picture.width >= 640, 'the big layer');
        const layers = (page, other) => indexOf(page).sources.filter((source) => source.attendeeId === other.attendee);
        await until('two layers for three people', () => layers(b, a).length === 2);
        assert.equal(new Set(layers(b, a).map(({ groupId }) => groupId)).size, 1, 'of one group');
        assert.equal(new Set(layers(b, a).map(({ streamId }) => streamId)).size, 2);
        await c.evaluate(([one, other]) => window.client.prefer([[one, 1, 'High'], [other, 2, 'Low']]), [a.attendee, b.attendee]);
        await pictureOf(c, a, (picture) => picture.width >= 640, 'the big layer where it was asked for');
        const small = await pictureOf(c, b, (picture) => picture.width > 0 && picture.width < 640, 'the small layer where it was asked for');
        await seesAll(c, [a, b]);
        await c.evaluate(([one, other]) => window.client.prefer([[one, 2, 'Low'], [other, 1, 'High']]), [a.attendee, b.attendee]);
        const big = await pictureOf(c, b, (picture) => picture.width >= 640, 'the layers to change');
        assert.ok(big.lost <= small.lost + 2, 'no gap in the numbers');
        // Who adapts on its own names a layer, without a negotiation.
        await b.evaluate((other) => window.client.prefer([[other, 1, 'Low']]), a.attendee);
        await pictureOf(b, a, (picture) => picture.width > 0 && picture.width < 640, 'the small layer that the client chose');
        const negotiations = sent(b, 'SUBSCRIBE').length;
        await b.evaluate((other) => window.client.prefer([[other, 1, 'High']]), a.attendee);
        await pictureOf(b, a, (picture) => picture.width >= 640, 'the big layer that the client chose');
        const update = sent(b, 'REMOTE_VIDEO_UPDATE').at(-1).remoteVideoUpdate.addedOrUpdatedVideoSubscriptions;
        assert.ok(layers(b, a).some(({ streamId }) => streamId === update[0].streamId));
        assert.equal(sent(b, 'SUBSCRIBE').length, negotiations);
    });

    test('a layer that is announced and never sent is served from the next lower one', async () => {
        // Chromium makes the high layer from cameras of 960x540 on only.
        const people = await gather(3, () => ({ camera: true, size: [640, 360, 15], simulcast: true }));
        await Promise.all(people.map((person) => seesAll(person, people.filter((other) => other !== person))));
        const before = await pictures(people[2]);
        await sleep(3000);
        const after = await pictures(people[2]);
        for (const { attendee } of people.slice(0, 2)) assert.ok(after[attendee].frames > before[attendee].frames + 15, 'it goes on');
    });

    test('SVC: each receiver gets the layers that it asks for, without a gap', async () => {
        const sender = { camera: true, size: [960, 540, 15], noisy: true, svc: true, codecs: ['vp9Profile0'] };
        const people = await gather(3, (i) => (i === 0 ? sender : { adaptive: true, svc: true }));
        const [a, b, c] = people;
        await Promise.all([b, c].map((other) => pictureOf(other, a, (picture) => picture.frames > 10 && picture.width === 960, 'the whole picture')));
        assert.equal(await scalability(a, 'video/VP9'), 'L3T3');
        const before = await pictures(b);
        await c.evaluate((attendee) => window.client.prefer([[attendee, 1, 'Low']]), a.attendee);
        await pictureOf(c, a, (picture) => picture.width > 0 && picture.width < 960, 'a lower layer');
        await seesAll(c, [a]);
        const low = (await pictures(c))[a.attendee];
        assert.equal((await pictures(b))[a.attendee].width, 960, 'the other is untouched');
        await c.evaluate((attendee) => window.client.prefer([[attendee, 1, 'High']]), a.attendee);
        const high = await pictureOf(c, a, (picture) => picture.width === 960, 'the whole picture again');
        await Promise.all([seesAll(b, [a]), seesAll(c, [a])]);
        assert.ok(high.lost <= low.lost + 2 && high.nacks - low.nacks < 5, JSON.stringify([low, high]));
        assert.ok((await pictures(b))[a.attendee].nacks - before[a.attendee].nacks < 5, 'nothing is missing');

        await a.evaluate(() => window.client.share({}));
        const share = `${a.attendee}#content`;
        await c.evaluate((ids) => window.client.prefer(ids.map((id, i) => [id, i + 1, 'High'])), [a.attendee, share]);
        for (const other of [b, c]) {
            const seen = await pictureOf(other, share, (picture) => picture.frames > 20 && picture.width === 640, 'the scalable share');
            assert.ok(seen.lost < 3 && seen.nacks < 5, JSON.stringify(seen));
        }
        assert.equal(await scalability(a, 'video/AV1'), 'L1T3');
    });

    test('who may not send is not heard and gets no camera; who may not receive hears and sees nothing', async () => {
        const people = await gather(3, (i) => (i === 0 ? { capabilities: { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } } : { camera: i === 1 }));
        const [listener, speaker, other] = people;
        await hearsExactly(other, [speaker.tone]);
        await hearsExactly(listener, [speaker.tone, other.tone]);
        await seesAll(listener, [speaker]);
        await listener.evaluate(() => window.client.camera(true));
        await saw(listener, 'availability', (possible) => !possible);
        await saw(listener, 'cameraRefused');
        assert.deepEqual(await events(listener, 'stopped'), []);
        await speaker.evaluate(() => window.client.share({}));
        await saw(speaker, 'shareStarted');
        await meeting.allow(speaker.attendee, { Audio: 'None', Video: 'None', Content: 'None' });
        await saw(speaker, 'shareStopped');
        assert.deepEqual(await events(speaker, 'stopped'), [], 'its call goes on');
        await hearsExactly(other, []);
        await saw(listener, 'sources', (ids) => ids.length === 0, { from: await count(listener, 'sources') - 1 });
        await hearsExactly(speaker, []);
        await meeting.allow(listener.attendee, { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' });
        await hearsExactly(other, [listener.tone]);
        assert.deepEqual(await events(speaker, 'poor'), []);
    });

    test('an attendee is removed, a second device takes over, the meeting ends: each is told why', async () => {
        const [a, b, c] = await gather(3);
        await b.evaluate(() => window.client.share({}));
        for (const other of [a, c]) await saw(other, 'presence', (id, present) => id === `${b.attendee}#content` && present);
        await meeting.remove(b.attendee);
        assert.deepEqual((await saw(b, 'stopped')).values, ['AudioAttendeeRemoved']);
        await saw(b, 'shareStopped');
        for (const gone of [b.attendee, `${b.attendee}#content`]) {
            for (const other of [a, c]) await saw(other, 'presence', (id, present) => id === gone && !present);
        }
        const pass = await meeting.pass('person-0');
        assert.equal(pass.Attendee.AttendeeId, a.attendee, 'the same person is the same attendee');
        const second = await clients.join(pass, { together: true, tone: a.tone, camera: false });
        assert.deepEqual((await saw(a, 'stopped')).values, ['AudioJoinedFromAnotherDevice']);
        await hearsExactly(c, [a.tone]);
        await meeting.end();
        for (const person of [second, c]) assert.deepEqual((await saw(person, 'stopped')).values, ['MeetingEnded']);
        const late = await clients.page(undefined, { together: true });
        await late.evaluate((old) => window.client.join(old, { camera: false }), pass);
        assert.deepEqual((await saw(late, 'stopped')).values, ['MeetingEnded']);
    });

    test('a full meeting refuses one more', async () => {
        clients = new Clients(bare.url);
        meeting = await meetings.meeting({ MeetingFeatures: { Attendee: { MaxCount: 1 } } });
        await clients.join(await meeting.pass('first'), { together: true, tone: kTones[0], camera: false });
        const one = await meeting.pass('second').catch((error) => error);
        if (one instanceof Error) return assert.match(one.name, /LimitExceeded/);
        const page = await clients.page(undefined, { together: true });
        await page.evaluate((pass) => window.client.join(pass, { camera: false }), one);
        assert.deepEqual((await saw(page, 'stopped')).values, ['AudioCallAtCapacity']);
    });
});
