// Calls over bad lines: loss, jitter, reordering, repeats, narrow links, outages and a NAT that forgets, between real browsers and
// the media port. Prints what was measured.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { serveBarePage } from './lib/bare_page.mjs';
import { seesAndHears } from './lib/browser.mjs';
import { impairedLine } from './lib/impaired.mjs';
import { Clients, events } from './lib/meeting.mjs';
import { Service, sleep, until } from './lib/service.mjs';

/** What one page has received until now, audio and video. */
function received(page) {
    return page.evaluate(async () => {
        const sum = { at: performance.now(), samples: 0, concealed: 0, packets: 0, frames: 0, freezes: 0, frozen: 0, bytes: 0 };
        for (const peer of window.peers) {
            if (peer.connectionState === 'closed') continue;
            for (const entry of (await peer.getStats()).values()) {
                if (entry.type !== 'inbound-rtp') continue;
                if (entry.kind === 'audio') {
                    sum.samples += entry.totalSamplesReceived ?? 0;
                    sum.concealed += (entry.concealedSamples ?? 0) - (entry.silentConcealedSamples ?? 0);
                    sum.packets += entry.packetsReceived;
                } else {
                    sum.frames += entry.framesDecoded ?? 0;
                    sum.freezes += entry.freezeCount ?? 0;
                    sum.frozen += entry.totalFreezesDuration ?? 0;
                    sum.bytes += entry.bytesReceived;
                }
            }
        }
        return sum;
    });
}

function between(before, now) {
    const seconds = (now.at - before.at) / 1000;
    return {
        concealed: (now.concealed - before.concealed) / Math.max(1, now.samples - before.samples),
        packets: (now.packets - before.packets) / seconds,
        frames: (now.frames - before.frames) / seconds,
        freezes: now.freezes - before.freezes,
        kbps: ((now.bytes - before.bytes) * 8) / 1000 / seconds,
    };
}

const rounded = ({ concealed, packets, frames, freezes, kbps }) =>
    `audio ${packets.toFixed(0)}/s, ${(100 * concealed).toFixed(1)} % concealed; video ${frames.toFixed(1)} frames/s, ${freezes} freezes, ${kbps.toFixed(0)} kbit/s`;

describe('a call over a bad line', { timeout: 600_000 }, () => {
    let line;
    let service;
    let bare;
    let clients;
    let people;

    before(async () => {
        line = await impairedLine(7);
        service = await Service.create({ PUBLIC_HOST: '127.0.0.1', PUBLIC_MEDIA_PORT: String(line.port) });
        line.target = service.mediaPort;
        bare = await serveBarePage();
        clients = new Clients(bare.url);
        const visit = await service.visit();
        const options = { size: [640, 360], noisy: true };
        people = [await clients.join(await visit.join('DOCTOR'), options), await clients.join(await visit.join('PATIENT'), options)];
        await bothSeeAndHear();
    });

    afterEach(async () => {
        line.set({});
        for (const page of people) assert.deepEqual(await events(page, 'stopped'), [], 'the call goes on');
        await bothSeeAndHear();
    });

    after(async () => {
        await clients?.close();
        await bare?.close();
        await service?.dispose();
        line?.close();
    });

    const bothSeeAndHear = () => Promise.all(people.map((page) => seesAndHears(page, 30_000)));

    /** What both got in so many seconds on this line, after some time to get used to it. */
    async function over(t, name, settings, { settle = 3000, measure = 6000, directions } = {}) {
        line.set(settings, directions);
        await sleep(settle);
        const before = await Promise.all(people.map(received));
        await sleep(measure);
        const after = await Promise.all(people.map(received));
        const figures = after.map((now, i) => between(before[i], now));
        for (const one of figures) t.diagnostic(`${name}: ${rounded(one)}`);
        return figures;
    }

    for (const [share, concealed, frames] of [[0.01, 0.06, 8], [0.05, 0.15, 6], [0.2, 0.42, 1]]) {
        test(`${100 * share} % of all packets lost, both ways: sound goes on, pictures as well`, async (t) => {
            for (const figures of await over(t, `loss ${100 * share} %`, { loss: share, delay: 20 })) {
                assert.ok(figures.concealed < concealed, rounded(figures));
                assert.ok(figures.frames > frames, rounded(figures));
                // Two legs, each with that loss.
                assert.ok(figures.packets > 50 * (1 - share) ** 2 * 0.85, rounded(figures));
            }
        });
    }

    test('jitter, with and without reordering, and repeated packets', async (t) => {
        for (const [name, settings] of [
            ['60 ms jitter', { delay: 20, jitter: 60 }],
            ['40 ms jitter with reordering', { delay: 20, jitter: 40, reorder: true }],
            ['every tenth packet twice', { delay: 20, repeat: 0.1 }],
        ]) {
            for (const figures of await over(t, name, settings)) {
                assert.ok(figures.concealed < 0.2, `${name}: ${rounded(figures)}`);
                assert.ok(figures.frames > 6, `${name}: ${rounded(figures)}`);
            }
        }
    });

    for (const [rate, most, frames] of [[1000, 1100, 8], [300, 330, 4]]) {
        for (const direction of ['down', 'up']) {
            test(`a link of ${rate} kbit/s ${direction}: sound comes first, pictures fit in`, async (t) => {
                for (const figures of await over(t, `${rate} kbit/s ${direction}`, { rate, delay: 20 }, { settle: 8000, measure: 8000, directions: [direction] })) {
                    assert.ok(figures.packets > 46, rounded(figures));
                    assert.ok(figures.concealed < 0.1, rounded(figures));
                    assert.ok(figures.frames > frames, rounded(figures));
                    assert.ok(figures.kbps < most, rounded(figures));
                }
                for (const page of people) assert.deepEqual(await events(page, 'suggestStopVideo'), []);
            });
        }
    }

    test('pictures are back within 2 s when a line that was cut for 4 s carries again', async (t) => {
        line.set({ down: true });
        await sleep(4000);
        const before = await Promise.all(people.map(received));
        line.set({});
        const begun = Date.now();
        await Promise.all(people.map((page, i) => until('pictures', async () => (await received(page)).frames >= before[i].frames + 3, 2000)));
        t.diagnostic(`pictures after ${Date.now() - begun} ms`);
    });

    test('a NAT that forgets its mapping, or a changed client address, does not end the call', async (t) => {
        const before = await Promise.all(people.map(received));
        line.rebind();
        const begun = Date.now();
        await Promise.all(people.map((page, i) => until('sound and pictures', async () => {
            const now = await received(page);
            return now.frames >= before[i].frames + 20 && now.packets >= before[i].packets + 50;
        }, 15_000)));
        t.diagnostic(`going on after ${Date.now() - begun} ms`);
        for (const page of people) assert.equal((await events(page, 'connecting')).length, 1, 'without a new connection');
    });
});
