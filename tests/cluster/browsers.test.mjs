// Two people on the page, two nodes, one address before them: the node that has their call dies, and later its successor
// is asked to stop.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, seesAndHears } from '../e2e/lib/browser.mjs';
import { until } from '../e2e/lib/service.mjs';
import { Cluster, assertWhole } from './lib/cluster.mjs';
import { front } from './lib/front.mjs';

describe('a call between two browsers', () => {
    let cluster;
    let proxy;
    const browsers = [];
    before(async () => {
        cluster = await Cluster.start({ DRAIN_SECONDS: '1' }, { DRAIN_SECONDS: '1' });
        proxy = await front(cluster.nodes);
    });
    after(async () => {
        for (const browser of browsers) await browser.close();
        await proxy?.close();
        await cluster?.stop();
    });

    async function visitor(link) {
        const browser = await launch();
        browsers.push(browser);
        const page = await browser.open();
        await page.goto(link);
        await page.getByRole('button', { name: 'Join the visit' }).click();
        await page.locator('.chip', { hasText: 'Connected' }).waitFor();
        return page;
    }

    const connections = (page) => page.evaluate(() => window.peers.length);

    /** Sees and, unless there is `silence`, hears over a connection that was made after the first `old` ones. */
    function seesAndHearsAnew(page, old, silence) {
        return page.evaluate(async ([first, quiet]) => {
            let frames = 0;
            let sound = 0;
            for (const peer of window.peers.slice(first)) {
                if (peer.connectionState === 'closed') continue;
                for (const entry of (await peer.getStats()).values()) {
                    if (entry.type !== 'inbound-rtp') continue;
                    frames += entry.kind === 'video' ? (entry.framesDecoded ?? 0) : 0;
                    sound += entry.kind === 'audio' ? (entry.totalAudioEnergy ?? 0) : 0;
                }
            }
            return frames >= 5 && (quiet || sound > 0);
        }, [old, silence]);
    }

    async function backWithin(pages, old, patience, since, silent = []) {
        const times = await Promise.all(
            pages.map(async (page, i) => {
                await until('picture and sound at the other node', () => seesAndHearsAnew(page, old[i], silent.includes(page)), patience);
                return Date.now() - since;
            }),
        );
        await Promise.all(pages.map((page) => page.locator('.chip', { hasText: 'Connected' }).waitFor()));
        return times;
    }

    test('goes on at another node after kill -9, and after a drain, without a gap in the record', async (t) => {
        const visit = await cluster.visit(proxy);
        const pages = [await visitor(visit.link('DOCTOR')), await visitor(visit.link('PATIENT'))];
        await Promise.all(pages.map((page) => seesAndHears(page)));
        const homeOf = async () => cluster.at((await visit.join('DOCTOR', proxy)).body.media_placement.signaling_url);
        const first = await homeOf();
        const second = cluster.nodes.find((node) => node !== first);
        assert.ok(pages.every((page) => page.addresses.some((address) => address.startsWith(first.url.replace('http', 'ws')))));

        let old = await Promise.all(pages.map(connections));
        const died = Date.now();
        await first.kill();
        const times = await backWithin(pages, old, 15_000, died);
        t.diagnostic(`after kill -9 both were back in ${times.join(' and ')} ms`);
        assert.ok(times.every((time) => time < 15_000), `${times}`);
        assert.equal(await homeOf(), second);
        for (const page of pages) {
            await until('a picture that moves', () =>
                page.evaluate(() => [...document.querySelectorAll('.call video')].filter((v) => v.videoWidth > 0 && !v.paused && v.currentTime > 0 && getComputedStyle(v).visibility === 'visible').length === 2),
            );
        }
        let stays = await cluster.stays(visit.id);
        assertWhole(stays);
        assert.deepEqual(stays.map((stay) => stay.left), [null, null], 'one stay each, and it goes on');

        // Muted before the move is muted after it.
        await pages[0].getByRole('button', { name: 'Mute microphone' }).click();
        await pages[1].locator('.tile.remote[data-muted=true]').waitFor();
        const third = await cluster.add();
        proxy.targets.push(third);
        old = await Promise.all(pages.map(connections));
        const ended = second.terminate();
        const asked = Date.now();
        const moved = await backWithin(pages, old, 25_000, asked, [pages[1]]);
        t.diagnostic(`after a drain of 1 s both were back in ${moved.join(' and ')} ms`);
        assert.equal((await ended).code, 0);
        assert.equal(await homeOf(), third);
        await pages[1].locator('.tile.remote[data-muted=true]').waitFor();
        await pages[0].getByRole('button', { name: 'Unmute microphone' }).click();
        await pages[1].locator('.tile.remote[data-muted=false]').waitFor();
        await until('the sound to be back', () => seesAndHearsAnew(pages[1], old[1], false));
        stays = await cluster.stays(visit.id);
        assertWhole(stays);
        assert.deepEqual(stays.map((stay) => stay.left), [null, null]);

        assert.equal((await visit.end(proxy)).status, 200);
        await Promise.all(pages.map((page) => page.getByRole('heading', { name: 'The visit has ended' }).waitFor()));
        stays = await cluster.stays(visit.id);
        assertWhole(stays);
        assert.equal(stays.length, 2);
        const session = await visit.get(proxy);
        assert.equal(session.status, 'COMPLETED');
        assert.ok(pages.every((page) => page.complaints.length === 0), JSON.stringify(pages.map((page) => page.complaints)));
    });
});
