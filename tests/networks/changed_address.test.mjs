// A client that gets another address in the middle of a call, as one that goes from one network to another.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serveBarePage } from '../e2e/lib/bare_page.mjs';
import { seesAndHears } from '../e2e/lib/browser.mjs';
import { Clients, events, saw } from '../e2e/lib/meeting.mjs';
import { Service } from '../e2e/lib/service.mjs';
import { ServerRoom } from './lib/server_room.mjs';

describe('another address', { timeout: 180_000 }, () => {
    let room;
    let service;
    let bare;
    let clients;

    before(async () => {
        room = await ServerRoom.build();
        service = await Service.create({ PUBLIC_HOST: room.there }, { host: room.there, within: room.within });
        bare = await serveBarePage();
        clients = new Clients(bare.url, [room.there]);
    });

    after(async () => {
        const foreign = clients?.foreign;
        await clients?.close();
        await bare?.close();
        await service?.dispose();
        room?.close();
        assert.deepEqual(foreign, [], 'requests to foreign hosts');
    });

    /** The addresses that pages send from, one for each connection that is open. */
    const addresses = (page) =>
        page.evaluate(async () => {
            const list = [];
            for (const peer of window.peers) {
                if (peer.connectionState !== 'connected') continue;
                const report = await peer.getStats();
                for (const entry of report.values()) {
                    if (entry.type === 'transport') list.push(report.get(report.get(entry.selectedCandidatePairId).localCandidateId).address);
                }
            }
            return list;
        });

    test('one that has two goes on with the other one; one that gets a new one comes back; nobody has left', async (t) => {
        const second = room.addNetwork(78);
        const visit = await service.visit();
        const people = [];
        for (const role of ['DOCTOR', 'PATIENT']) people.push(await clients.join(await visit.join(role)));
        await Promise.all(people.map((page) => seesAndHears(page)));
        const first = (await addresses(people[0]))[0];
        assert.deepEqual(await Promise.all(people.map(addresses)), [[first], [first]]);

        let changed = Date.now();
        room.leaveNetwork(first);
        await Promise.all(people.map((page) => seesAndHears(page, 20_000)));
        t.diagnostic(`going on with the other address after ${Date.now() - changed} ms`);
        const other = first === second ? room.here : second;
        assert.deepEqual(await Promise.all(people.map(addresses)), [[other], [other]]);
        for (const page of people) assert.equal(await page.evaluate(() => window.peers.length), 1, 'over the same connection');

        // Browsers look for addresses once in a connection, so the client has to make a new one, which takes it 25 s.
        changed = Date.now();
        const third = room.addNetwork(79);
        room.leaveNetwork(other);
        await Promise.all(people.map((page) => saw(page, 'started', undefined, { from: 1, patience: 60_000 })));
        await Promise.all(people.map((page) => seesAndHears(page)));
        t.diagnostic(`back from a new address after ${Date.now() - changed} ms`);
        assert.deepEqual(await Promise.all(people.map(addresses)), [[third], [third]]);
        for (const page of people) {
            assert.deepEqual(await events(page, 'stopped'), []);
            assert.deepEqual((await events(page, 'presence')).filter(({ values: [, present] }) => !present), []);
        }
    });
});
