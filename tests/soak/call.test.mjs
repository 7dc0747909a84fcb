// A long call of two Chromiums with the published client: sequence numbers of sound and picture run over their end, and
// nobody notices. CALL_MINUTES (10); from 23 on every sequence number comes round for certain.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { seesAndHears, stats } from '../e2e/lib/browser.mjs';
import { serveBarePage } from '../e2e/lib/bare_page.mjs';
import { Clients, count } from '../e2e/lib/meeting.mjs';
import { Service, sleep } from '../e2e/lib/service.mjs';

const kMinutes = Number(process.env.CALL_MINUTES ?? 10);
const kLook = 10_000;
/** A sequence number takes 16 bits, and begins anywhere; those of sound come round once in so many minutes, of pictures sooner. */
const kNumbers = 65_536;
const kRound = 22;

/** Packets that came, and went, of both kinds. */
const packets = (page) =>
    page.evaluate(async () => {
        const sum = { audio: 0, video: 0, freezes: 0 };
        for (const peer of window.peers) {
            for (const entry of (await peer.getStats()).values()) {
                if (entry.type !== 'inbound-rtp') continue;
                sum[entry.kind] += entry.packetsReceived ?? 0;
                sum.freezes += entry.freezeCount ?? 0;
            }
        }
        return { ...sum, peers: window.peers.length };
    });

describe('a long call', { timeout: (kMinutes + 5) * 60_000 }, () => {
    let service;
    let bare;
    let clients;
    before(async () => {
        service = await Service.create();
        bare = await serveBarePage();
        clients = new Clients(bare.url);
    });
    after(async () => {
        await clients?.close();
        await bare?.close();
        await service?.dispose();
    });

    test(`${kMinutes} minutes: sound and pictures come all the time, over the same connection`, async (t) => {
        const visit = await service.visit();
        const doctor = await clients.join(await visit.join('DOCTOR'));
        const patient = await clients.join(await visit.join('PATIENT'));
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        const end = Date.now() + kMinutes * 60_000;
        let before = await Promise.all([stats(doctor), stats(patient)]);
        while (Date.now() < end) {
            await sleep(kLook);
            const now = await Promise.all([stats(doctor), stats(patient)]);
            now.forEach((each, side) => {
                assert.ok(each.framesDecoded >= before[side].framesDecoded + 20, `side ${side}: ${each.framesDecoded - before[side].framesDecoded} frames in ${kLook} ms`);
                assert.ok(each.audioPackets >= before[side].audioPackets + 0.9 * (kLook / 20), `side ${side}: ${each.audioPackets - before[side].audioPackets} packets of sound in ${kLook} ms`);
            });
            before = now;
        }
        for (const page of [doctor, patient]) {
            const seen = await packets(page);
            assert.equal(seen.peers, 1, 'no second connection was made');
            assert.equal(await count(page, 'tileRemoved'), 0);
            t.diagnostic(`${seen.audio} packets of sound, ${seen.video} of pictures, ${seen.freezes} freezes`);
            if (kMinutes > kRound) assert.ok(seen.audio > kNumbers, `only ${seen.audio} packets of sound: no sequence number has come round for certain`);
        }
        assert.equal((await visit.get()).status, 'ACTIVE');
    });
});
