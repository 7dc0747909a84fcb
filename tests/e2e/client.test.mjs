// The published client library, unmodified, with nothing around it, against the running service.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { hears, sees, seesAndHears, stats } from './lib/browser.mjs';
import { serveBarePage } from './lib/bare_page.mjs';
import { changingRelay, spoilsFirstOffer, wantsCompressedOffers } from './lib/changing.mjs';
import { received, sent } from './lib/frames.mjs';
import { impairedLine } from './lib/impaired.mjs';
import { Clients, count, events, saw } from './lib/meeting.mjs';
import { pictures } from './lib/people.mjs';
import { relay } from './lib/proxy.mjs';
import { Service, sleep, until } from './lib/service.mjs';

const kGoneAfter = 3;

describe('an unmodified Chime client', { timeout: 300_000 }, () => {
    let service;
    let bare;
    let clients;

    before(async () => {
        service = await Service.create({ GONE_AFTER_SECONDS: String(kGoneAfter) });
        bare = await serveBarePage();
        clients = new Clients(bare.url);
    });

    afterEach(async () => {
        const { foreign } = clients;
        await clients.close();
        clients = new Clients(bare.url);
        assert.deepEqual(foreign, [], 'requests to foreign hosts');
    });

    after(async () => {
        await bare?.close();
        await service?.dispose();
    });

    /** What POST /join answered, with a signalling address that leads through a relay. */
    function through(network, answer) {
        const signaling = new URL(answer.media_placement.signaling_url);
        signaling.port = String(network.port);
        return { ...answer, media_placement: { ...answer.media_placement, signaling_url: signaling.href } };
    }

    /** Doctor and patient in the same meeting, seeing and hearing each other. */
    async function together() {
        const visit = await service.visit();
        const doctor = await clients.join(await visit.join('DOCTOR'));
        const patient = await clients.join(await visit.join('PATIENT'));
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        return { visit, doctor, patient };
    }

    test('sees and hears the other side, and its presence with the name the service gave', async () => {
        const { visit, doctor, patient } = await together();
        const [, , user] = (await saw(doctor, 'presence', (id, present) => id === patient.attendee && present)).values;
        assert.equal(user, 'patient-34');
        await saw(patient, 'presence', (id, present, name) => id === doctor.attendee && present && name === 'doctor-12');
        await saw(patient, 'presence', (id, present) => id === patient.attendee && present);
        await saw(patient, 'signal', (id, strength) => id === patient.attendee && strength === 1);
        assert.equal((await visit.get()).status, 'ACTIVE');
    });

    test('turns its camera off and on at will', async () => {
        const { doctor, patient } = await together();
        for (const round of [0, 1]) {
            await patient.evaluate(() => window.client.camera(false));
            await saw(doctor, 'tileRemoved', undefined, { from: round });
            await saw(doctor, 'sources', (ids) => ids.length === 0, { from: await count(doctor, 'sources') - 1 });
            await hears(doctor);
            await patient.evaluate(() => window.client.camera(true));
            await sees(doctor);
        }
        await sees(patient);
    });

    test('joins without a camera and adds it later, in H.264 where it is preferred', async () => {
        const visit = await service.visit();
        const wishes = { camera: false, codecs: ['h264ConstrainedBaselineProfile'] };
        const doctor = await clients.join(await visit.join('DOCTOR'), wishes);
        const patient = await clients.join(await visit.join('PATIENT'), wishes);
        await Promise.all([hears(doctor), hears(patient)]);
        assert.equal((await stats(doctor)).framesDecoded, 0);
        await doctor.evaluate(() => window.client.camera(true));
        await sees(patient);
        await patient.evaluate(() => window.client.camera(true));
        await sees(doctor);
        for (const page of [doctor, patient]) assert.deepEqual((await stats(page)).sends, ['video/H264']);
    });

    test('mutes, and the other side is told; volume comes with speech', async () => {
        const { doctor, patient } = await together();
        await saw(patient, 'volume', (id) => id === doctor.attendee);
        await doctor.evaluate(() => window.client.mute(true));
        await saw(patient, 'muted', (id, muted) => id === doctor.attendee && muted);
        await sleep(700); // What was said before is still on its way.
        const silence = await stats(patient);
        await sleep(1500);
        const still = await stats(patient);
        assert.ok(still.audioEnergy - silence.audioEnergy < 1e-4, 'a muted microphone is silent');
        assert.ok(still.audioPackets > silence.audioPackets + 40, 'the stream goes on while muted');
        const heard = await count(patient, 'volume');
        await doctor.evaluate(() => window.client.mute(false));
        await saw(patient, 'muted', (id, muted) => id === doctor.attendee && !muted, { from: 1 });
        await saw(patient, 'volume', (id) => id === doctor.attendee, { from: heard });
        await hears(patient);
    });

    test('compresses its offers where that is wanted', async () => {
        const visit = await service.visit();
        const network = await changingRelay(service.port, { toClient: wantsCompressedOffers });
        try {
            const doctor = await clients.join(through(network, await visit.join('DOCTOR')), { watched: true });
            const patient = await clients.join(await visit.join('PATIENT'));
            await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
            await doctor.evaluate(() => window.client.camera(false));
            await saw(patient, 'tileRemoved');
            await doctor.evaluate(() => window.client.camera(true));
            await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
            const offers = sent(doctor, 'SUBSCRIBE').map((frame) => frame.sub);
            assert.ok(offers.length >= 3, `${offers.length} offers`);
            assert.ok(offers.every((offer) => !offer.sdpOffer && offer.compressedSdpOffer.length > 300));
        } finally {
            await network.close();
        }
    });

    test('connects anew when it is told of a fault of the server: here an encryption that cannot be agreed on', async () => {
        const visit = await service.visit();
        const network = await changingRelay(service.port, { toServer: spoilsFirstOffer() });
        try {
            const doctor = await clients.join(await visit.join('DOCTOR'));
            const patient = await clients.join(through(network, await visit.join('PATIENT')), { watched: true });
            await Promise.all([seesAndHears(doctor, 60_000), seesAndHears(patient, 60_000)]);
            const told = received(patient, 'AUDIO_STATUS').map((frame) => frame.audioStatus.audioStatus);
            assert.ok(told.includes(500), `told: ${told}`);
            assert.ok(patient.signalling.length >= 2, 'a second connection');
            assert.ok((await visit.attendee('PATIENT')).connected);
        } finally {
            await network.close();
        }
    });

    test('sends what everybody can decode, once somebody comes who cannot decode all and knows no RTX', async () => {
        const visit = await service.visit();
        const doctor = await clients.join(await visit.join('DOCTOR'), { codecs: ['vp9Profile0', 'vp8'] });
        await until('VP9 to be sent', async () => (await stats(doctor)).sends.includes('video/VP9'));
        const patient = await clients.join(await visit.join('PATIENT'), {}, () => {
            const add = RTCPeerConnection.prototype.addTransceiver;
            RTCPeerConnection.prototype.addTransceiver = function (...args) {
                const transceiver = add.apply(this, args);
                if (transceiver.receiver.track.kind === 'video') {
                    const all = RTCRtpReceiver.getCapabilities('video').codecs;
                    transceiver.setCodecPreferences(all.filter((codec) => codec.mimeType === 'video/VP8'));
                }
                return transceiver;
            };
        });
        await until('VP8 to be sent', async () => (await stats(doctor)).sends.every((codec) => codec === 'video/VP8'));
        await Promise.all([sees(patient), sees(doctor)]);
        // Without RTX its camera is padded on the stream of the pictures; that leaves no gaps here.
        const before = (await pictures(doctor))[patient.attendee];
        await sees(doctor);
        const after = (await pictures(doctor))[patient.attendee];
        assert.ok(after.nacks - before.nacks < 5 && after.plis - before.plis < 2, JSON.stringify([before, after]));
    });

    test('goes on over a network that loses every twentieth packet: what is lost is asked for and repeated', async () => {
        const network = await impairedLine();
        const far = await Service.create({ PUBLIC_HOST: '127.0.0.1', PUBLIC_MEDIA_PORT: String(network.port) });
        try {
            network.target = far.mediaPort;
            const visit = await far.visit();
            const doctor = await clients.join(await visit.join('DOCTOR'));
            const patient = await clients.join(await visit.join('PATIENT'));
            await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
            network.set({ loss: 0.05 });
            await until('losses to be repaired on both legs', async () => {
                const [here, there] = await Promise.all([stats(doctor), stats(patient)]);
                return here.repeatsSent > 5 && here.repeatsReceived > 5 && there.repeatsSent > 5 && there.repeatsReceived > 5;
            });
            const before = await stats(patient);
            const begun = Date.now();
            await sleep(5000);
            const after = await stats(patient);
            const rate = (1000 * (after.framesDecoded - before.framesDecoded)) / (Date.now() - begun);
            assert.ok(rate > 5, `${rate.toFixed(1)} frames a second with 5 % lost`);
            const { lost } = network.figures();
            assert.ok(lost > 50, `${lost} packets were lost`);
            await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        } finally {
            network.close();
            await far.dispose();
        }
    });

    test('comes back by itself after its socket was cut', async () => {
        const visit = await service.visit();
        const network = await relay(service.port);
        try {
            const doctor = await clients.join(through(network, await visit.join('DOCTOR')));
            const patient = await clients.join(await visit.join('PATIENT'));
            await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
            network.cut();
            await saw(doctor, 'connecting', (reconnecting) => reconnecting);
            await saw(doctor, 'started', undefined, { from: 1 });
            await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
            assert.deepEqual(await events(patient, 'stopped'), []);
            assert.equal((await visit.attendee('DOCTOR')).connected, true);
        } finally {
            await network.close();
        }
    });

    test('comes back by itself after the service was killed and started again', async () => {
        const { visit, doctor, patient } = await together();
        await service.kill();
        await sleep(1000);
        await service.start();
        await Promise.all([doctor, patient].map((page) => saw(page, 'started', undefined, { from: 1, patience: 40_000 })));
        await Promise.all([seesAndHears(doctor, 30_000), seesAndHears(patient, 30_000)]);
        assert.equal((await visit.get()).status, 'ACTIVE');
        const connected = () => Promise.all(['DOCTOR', 'PATIENT'].map(async (role) => (await visit.attendee(role)).connected));
        await until('both to count as connected', async () => (await connected()).every(Boolean));
    });

    test('gives way to a second device of the same person', async () => {
        const { visit, doctor, patient } = await together();
        const second = await clients.join(await visit.join('PATIENT'));
        const [status] = (await saw(patient, 'stopped')).values;
        assert.equal(status, 'AudioJoinedFromAnotherDevice');
        await Promise.all([seesAndHears(second), seesAndHears(doctor)]);
        assert.equal((await visit.attendee('PATIENT')).connected, true);
    });

    test('D23: is told when the doctor ends the visit, and does not get in again', async () => {
        const { visit, doctor, patient } = await together();
        const old = await visit.join('PATIENT');
        await visit.end();
        for (const page of [doctor, patient]) assert.deepEqual((await saw(page, 'stopped')).values, ['MeetingEnded']);
        const late = await clients.page();
        await late.evaluate((pass) => window.client.join(pass, { camera: false }), old);
        const [status] = (await saw(late, 'stopped', undefined, { patience: 30_000 })).values;
        assert.match(status, /^(MeetingEnded|AudioAuthenticationRejected)$/);
        assert.equal((await events(late, 'started')).length, 0);
    });

    test('is told when the visit is cancelled while it waits', async () => {
        const visit = await service.visit();
        const patient = await clients.join(await visit.join('PATIENT'));
        await visit.cancel();
        assert.deepEqual((await saw(patient, 'stopped')).values, ['MeetingEnded']);
    });

    test('leaves at once, the other side sees it, and it may come again', async () => {
        const { visit, doctor, patient } = await together();
        const begun = Date.now();
        await patient.evaluate(() => window.client.leave());
        assert.deepEqual((await saw(patient, 'stopped')).values, ['Left']);
        assert.ok(Date.now() - begun < 3000, 'the goodbye is answered at once');
        await saw(doctor, 'presence', (id, present, _user, dropped) => id === patient.attendee && !present && !dropped);
        await until('the patient to count as gone', async () => !(await visit.attendee('PATIENT')).connected);
        const again = await clients.join(await visit.join('PATIENT'));
        await Promise.all([seesAndHears(again), seesAndHears(doctor)]);
    });

    test('has left when its browser dies without a word', async () => {
        const { visit, doctor, patient } = await together();
        await patient.browser.kill();
        const dead = Date.now();
        await until('the patient to count as gone', async () => !(await visit.attendee('PATIENT')).connected, (kGoneAfter + 20) * 1000);
        assert.ok(Date.now() - dead >= (kGoneAfter - 1) * 1000, 'a short silence is no departure');
        const { left_at } = await visit.attendee('PATIENT');
        assert.ok(left_at && Math.abs(Date.parse(left_at) - dead) < 5000, `it left when the connection was lost: ${left_at}`);
        await saw(doctor, 'presence', (id, present, _user, dropped) => id === patient.attendee && !present && dropped);
        assert.equal((await visit.get()).status, 'ACTIVE');
    });

    test('does not get in with a token that is not its own', async () => {
        const visit = await service.visit();
        const answer = await visit.join('PATIENT');
        answer.attendee.join_token = `${answer.attendee.join_token.slice(0, -4)}AAAA`;
        const stranger = await clients.page();
        await stranger.evaluate((pass) => window.client.join(pass, { camera: false }), answer);
        await saw(stranger, 'stopped', (status) => /AudioAuthenticationRejected|SignalingBadRequest/.test(status), { patience: 30_000 });
        assert.equal((await events(stranger, 'started')).length, 0);
    });
});
