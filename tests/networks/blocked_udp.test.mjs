// A network that lets no UDP through: calls go over TCP to the media port, or through a TURN relay.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, afterEach, before, describe, test } from 'node:test';
import { serveBarePage } from '../e2e/lib/bare_page.mjs';
import { seesAndHears } from '../e2e/lib/browser.mjs';
import { Clients } from '../e2e/lib/meeting.mjs';
import { Service } from '../e2e/lib/service.mjs';
import { ServerRoom } from './lib/server_room.mjs';
import { turnServer } from './lib/turn_server.mjs';

const kTurnPort = 3478;
const kTurnSecret = 'shared with the relay';

/** How the packets of a page's connection travel. */
function ways(page) {
    return page.evaluate(async () => {
        const list = [];
        for (const peer of window.peers) {
            if (peer.connectionState !== 'connected') continue;
            const report = await peer.getStats();
            for (const transport of report.values()) {
                if (transport.type !== 'transport') continue;
                const pair = report.get(transport.selectedCandidatePairId);
                const local = report.get(pair.localCandidateId);
                list.push({ type: local.candidateType, protocol: local.protocol, relay: local.relayProtocol ?? null });
            }
        }
        return list;
    });
}

function sendUdp(host) {
    const socket = createSocket('udp4');
    return new Promise((done) => socket.send('x', 9, host, (error) => done(error?.code ?? 'sent'))).finally(() => socket.close());
}

describe('a network without UDP', { timeout: 240_000 }, () => {
    let room;
    let turn;
    let service;
    let bare;
    let clients;

    before(async () => {
        room = await ServerRoom.build();
        turn = await turnServer({ host: room.there, port: kTurnPort, secret: kTurnSecret, within: room.within });
        service = await Service.create(
            {
                PUBLIC_HOST: room.there,
                TURN_URIS: `turn:${room.there}:${kTurnPort}?transport=udp,turn:${room.there}:${kTurnPort}?transport=tcp`,
                TURN_SECRET: kTurnSecret,
            },
            { host: room.there, within: room.within },
        );
        bare = await serveBarePage();
        room.blockUdp();
        assert.notEqual(await sendUdp(room.there), 'sent', 'UDP must be blocked');
    });

    afterEach(async () => {
        await clients?.close();
        assert.deepEqual(clients?.foreign ?? [], [], 'requests to foreign hosts');
        clients = undefined;
    });

    after(async () => {
        await bare?.close();
        await service?.dispose();
        await turn?.close();
        room?.close();
    });

    async function together(demand) {
        clients = new Clients(bare.url, [room.there]);
        const visit = await service.visit();
        const doctor = await clients.join(await visit.join('DOCTOR', demand));
        const patient = await clients.join(await visit.join('PATIENT', demand));
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        return [doctor, patient];
    }

    test('ICE-TCP: the call goes over TCP to the media port by itself', async () => {
        for (const page of await together({})) {
            const [way, ...others] = await ways(page);
            assert.deepEqual([way.protocol, way.relay, others], ['tcp', null, []]);
        }
    });

    test('TURN: who asks for a relay is given one, and the call goes through it', async () => {
        for (const page of await together({ relay: true })) {
            assert.deepEqual(await ways(page), [{ type: 'relay', protocol: 'udp', relay: 'tcp' }]);
        }
        assert.match(turn.log, /session .*: realm <video.test> user <\d+:[0-9a-f]+>/, 'with credentials of its own');
    });
});
