// The same call between two kinds of browsers: payload types, extension ids and the shape of offers differ.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { hears, sees, seesAndHears } from './lib/browser.mjs';
import { serveBarePage } from './lib/bare_page.mjs';
import { Clients, count, events, saw } from './lib/meeting.mjs';
import { gather, pictureOf, seesAll } from './lib/people.mjs';
import { SdkMeetings } from './lib/sdk_meetings.mjs';

describe('Firefox and Chromium in one meeting', { timeout: 240_000 }, () => {
    let meetings;
    let bare;
    let clients;

    before(async () => {
        meetings = await SdkMeetings.create();
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
        await meetings?.dispose();
    });

    async function together(doctorIn, patientIn) {
        const visit = await meetings.service.visit();
        const doctor = await clients.join(await visit.join('DOCTOR'), doctorIn);
        const patient = await clients.join(await visit.join('PATIENT'), patientIn);
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        return { visit, doctor, patient };
    }

    test('see and hear each other; camera off and on, mute and leave work across', async () => {
        const { doctor, patient } = await together({ firefox: true }, {});
        await doctor.evaluate(() => window.client.camera(false));
        await saw(patient, 'tileRemoved');
        await hears(patient);
        await doctor.evaluate(() => window.client.camera(true));
        await sees(patient);
        await patient.evaluate(() => window.client.camera(false));
        await saw(doctor, 'tileRemoved');
        await patient.evaluate(() => window.client.camera(true));
        await sees(doctor);
        await doctor.evaluate(() => window.client.mute(true));
        await saw(patient, 'muted', (id, muted) => id === doctor.attendee && muted);
        const before = await count(patient, 'presence');
        await doctor.evaluate(() => window.client.leave());
        assert.deepEqual((await saw(doctor, 'stopped')).values, ['Left']);
        await saw(patient, 'presence', (id, present) => id === doctor.attendee && !present, { from: before });
        assert.deepEqual(await events(patient, 'stopped'), []);
    });

    test('share screens both ways', async () => {
        const { doctor, patient } = await together({ firefox: true }, {});
        for (const [sharer, viewer] of [[doctor, patient], [patient, doctor]]) {
            const share = `${sharer.attendee}#content`;
            await sharer.evaluate(() => window.client.share({}));
            await saw(sharer, 'shareStarted');
            await saw(viewer, 'presence', (id, present) => id === share && present);
            await pictureOf(viewer, share, ({ frames, width }) => frames > 5 && width > 0, 'the share to be decoded');
            await seesAndHears(viewer);
        }
        for (const [sharer, viewer] of [[doctor, patient], [patient, doctor]]) {
            await sharer.evaluate(() => window.client.unshare());
            await saw(sharer, 'shareStopped');
            await saw(viewer, 'presence', (id, present) => id === `${sharer.attendee}#content` && !present);
        }
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
    });

    test('Firefox gets the layers of a scalable camera that it asks for', async () => {
        const sender = { camera: true, size: [960, 540, 15], noisy: true, svc: true, codecs: ['vp9Profile0'] };
        const receiver = { firefox: true, together: false, adaptive: true };
        const [camera, , viewer] = await gather(clients, await meetings.meeting(), 3, (i) => [sender, {}, receiver][i]);
        await pictureOf(viewer, camera, ({ frames, width }) => frames > 10 && width === 960, 'the whole picture');
        await viewer.evaluate((attendee) => window.client.prefer([[attendee, 1, 'Low']]), camera.attendee);
        const low = await pictureOf(viewer, camera, ({ width }) => width > 0 && width < 960, 'a lower layer');
        await seesAll(viewer, [camera]);
        await viewer.evaluate((attendee) => window.client.prefer([[attendee, 1, 'High']]), camera.attendee);
        const high = await pictureOf(viewer, camera, ({ width }) => width === 960, 'the whole picture again');
        await seesAll(viewer, [camera]);
        assert.ok(high.lost <= low.lost + 2, JSON.stringify([low, high]));
    });

    test('two Firefoxes as well', async () => {
        await together({ firefox: true }, { firefox: true });
    });
});
