// The service's own page: two people meet through the links that a fresh service prints.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { hears, launch, sees, seesAndHears } from './lib/browser.mjs';
import { drawnCameras } from './lib/camera.mjs';
import { gateway } from './lib/gateway.mjs';
import { Service, root, until } from './lib/service.mjs';

const pictures = join(root, 'build', 'pictures');
const kPhone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

describe('the page', { timeout: 240_000 }, () => {
    let service;
    let films;
    let open = [];
    let browsers = [];

    before(async () => {
        mkdirSync(pictures, { recursive: true });
        [service, films] = await Promise.all([Service.create(), drawnCameras()]);
    });

    afterEach(async () => {
        const pages = open;
        await Promise.all(browsers.map((browser) => browser.close().catch(() => {})));
        open = [];
        browsers = [];
        for (const page of pages) {
            assert.deepEqual(page.foreign, [], 'requests to foreign hosts');
            assert.deepEqual(page.complaints, [], 'errors and broken content security rules');
            for (const address of page.addresses) assert.ok(!address.split('#')[0].includes('token='), `no token in ${address}`);
        }
    });

    after(async () => {
        films?.remove();
        await service?.dispose();
    });

    async function visitor(link, settings, options) {
        const browser = await launch(options);
        browsers.push(browser);
        const page = await browser.open(settings);
        page.browser = browser;
        open.push(page);
        await page.goto(link);
        return page;
    }

    async function enter(page) {
        await page.getByRole('button', { name: 'Join the visit' }).click();
        await page.locator('.chip', { hasText: 'Connected' }).waitFor();
    }

    async function together(visit) {
        const [doctor, patient] = await Promise.all([visitor(visit.link('DOCTOR')), visitor(visit.link('PATIENT'), kPhone)]);
        await enter(doctor);
        await enter(patient);
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        return { doctor, patient };
    }

    /** The colour in a corner of a video: tells whose camera it shows. */
    function corner(page, video) {
        return page.locator(video).evaluate((element) => {
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 1;
            const pen = canvas.getContext('2d');
            pen.drawImage(element, 4, 4, 8, 8, 0, 0, 1, 1);
            const [red, , blue] = pen.getImageData(0, 0, 1, 1).data;
            return red > blue ? 'warm' : 'cool';
        });
    }

    const heading = (page, text) => page.getByRole('heading', { name: text }).waitFor();
    const picture = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) });

    test('two browsers meet through the printed links', async () => {
        const links = await service.demoLinks();
        const doctor = await visitor(links.DOCTOR, {}, { film: films.DOCTOR });
        await doctor.getByRole('button', { name: 'Turn camera off' }).waitFor();
        await doctor.waitForTimeout(500);
        await picture(doctor, 'lobby-desktop');
        await enter(doctor);
        await doctor.getByText('Waiting for the patient').first().waitFor();
        const patient = await visitor(links.PATIENT, kPhone, { film: films.PATIENT });
        await patient.getByRole('button', { name: 'Turn camera off' }).waitFor();
        await patient.getByText('is in the room').waitFor();
        await picture(patient, 'lobby-phone');
        await enter(patient);

        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        for (const page of [doctor, patient]) {
            await until('two running videos', () =>
                page.evaluate(() => [...document.querySelectorAll('.call video')].filter((v) => v.videoWidth > 0 && !v.paused && v.currentTime > 0 && getComputedStyle(v).visibility === 'visible').length === 2),
            );
        }
        assert.equal(await corner(doctor, '.remote video'), 'warm', 'the doctor sees the patient');
        assert.equal(await corner(doctor, '.local video'), 'cool');
        assert.equal(await corner(patient, '.remote video'), 'cool', 'the patient sees the doctor');
        assert.equal(await corner(patient, '.local video'), 'warm');
        await doctor.waitForTimeout(3000); // For the picture: until the bandwidth estimate lets the full size through.
        await picture(doctor, 'call-desktop');
        await picture(patient, 'call-phone');

        await doctor.getByRole('button', { name: 'Mute microphone' }).click();
        await patient.locator('.tile.remote[data-muted=true]').waitFor();
        await doctor.getByRole('button', { name: 'Unmute microphone' }).click();
        await patient.locator('.tile.remote[data-muted=false]').waitFor();
        await hears(patient);

        await patient.getByRole('button', { name: 'Turn camera off' }).click();
        await doctor.getByText('camera is off').first().waitFor();
        await patient.getByRole('button', { name: 'Turn camera on' }).click();
        await doctor.locator('.tile.remote video[data-on=true]').waitFor();
        await sees(doctor);

        await doctor.getByRole('button', { name: 'End the visit for both' }).click();
        await doctor.getByLabel('Notes').fill('Blood pressure is well.');
        await doctor.getByText('4 of 5').locator('..').click();
        await doctor.getByRole('button', { name: 'End visit', exact: true }).click();
        await Promise.all([heading(doctor, 'The visit has ended'), heading(patient, 'The visit has ended')]);
        await picture(patient, 'ended-phone');

        const id = new URL(links.DOCTOR).pathname.split('/').pop();
        const session = await service.call('GET', `/sessions/${id}`, links.DOCTOR.split('token=')[1]);
        assert.equal(session.status, 'COMPLETED');
        assert.equal(session.session_notes, 'Blood pressure is well.');
        assert.equal(session.connection_quality_rating, 4);

        await patient.reload();
        await heading(patient, 'This visit has ended');
    });

    test('leaving is not ending: one may come back', async () => {
        const visit = await service.visit();
        const { doctor, patient } = await together(visit);
        await patient.getByRole('button', { name: 'Leave the visit' }).click();
        await heading(patient, 'You left the visit');
        await doctor.getByText('left the room').first().waitFor();
        await until('the patient to count as gone', async () => !(await visit.attendee('PATIENT')).connected);
        await patient.getByRole('button', { name: 'Join again' }).click();
        await enter(patient);
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
    });

    test('closing the tab is leaving, at once', async () => {
        const visit = await service.visit();
        const { doctor, patient } = await together(visit);
        await patient.close({ runBeforeUnload: true });
        await until('the patient to count as gone', async () => !(await visit.attendee('PATIENT')).connected, 5000);
        await doctor.getByText('left the room').first().waitFor();
    });

    test('a second device takes over, and the first says so', async () => {
        const visit = await service.visit();
        const { doctor, patient } = await together(visit);
        const second = await visitor(visit.link('PATIENT'));
        await enter(second);
        await heading(patient, 'You joined from another device');
        await Promise.all([seesAndHears(second), seesAndHears(doctor)]);
    });

    test('says that it is reconnecting while the service is away, and goes on afterwards', async () => {
        const visit = await service.visit();
        const { doctor, patient } = await together(visit);
        await service.kill();
        await Promise.all([doctor, patient].map((page) => page.locator('.chip', { hasText: 'Reconnecting' }).waitFor()));
        await picture(doctor, 'reconnecting-desktop');
        await service.start();
        await Promise.all([doctor, patient].map((page) => page.locator('.chip', { hasText: 'Connected' }).waitFor({ timeout: 40_000 })));
        await Promise.all([seesAndHears(doctor, 30_000), seesAndHears(patient, 30_000)]);
    });

    test('lets somebody in without camera and microphone, and says what is missing', async () => {
        const visit = await service.visit();
        const doctor = await visitor(visit.link('DOCTOR'));
        await enter(doctor);
        const patient = await visitor(visit.link('PATIENT'), kPhone, { devices: false });
        await patient.getByText(/may not use your camera and microphone|No camera and microphone was found/).waitFor();
        await enter(patient);
        await seesAndHears(patient);
        await doctor.getByText('camera is off').first().waitFor();
    });

    test('works behind a gateway that strips a prefix', async () => {
        const visit = await service.visit();
        const front = await gateway('/video', service.port);
        try {
            const links = ['DOCTOR', 'PATIENT'].map((role) => visit.link(role).replace(service.url, front.url));
            const [doctor, patient] = await Promise.all(links.map((link) => visitor(link)));
            await enter(doctor);
            await enter(patient);
            await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
            await patient.goto(`${front.url}/docs`);
            await patient.getByText('/api/video/sessions', { exact: false }).first().waitFor();
            await patient.goto(`${front.url}/redoc`);
            await patient.getByRole('heading', { name: /Video Consultation Service/ }).first().waitFor();
        } finally {
            await front.close();
        }
    });

    test('says in words why there is no way in', async () => {
        const visit = await service.visit();
        const page = await visitor(visit.link('DOCTOR'));
        await page.getByRole('button', { name: 'Join the visit' }).waitFor();

        const look = async (link, words) => {
            await page.goto('about:blank');
            await page.goto(link);
            await heading(page, words);
        };
        await look(`${service.url}/room/${visit.id}`, 'This link does not work');
        await look(`${service.url}/room/${visit.id}#token=x.y.z`, 'This link does not work');
        await look(`${service.url}/room/${visit.id}#token=${service.token('DOCTOR', '12')}x`, 'This link does not work');
        await look(`${service.url}/room/5ca1ab1e-0000-4000-8000-000000000000#token=${service.token('DOCTOR', '12')}`, 'No such visit');
        await look(`${service.url}/room/${visit.id}#token=${service.token('DOCTOR', '13')}`, 'This visit is for other people');
        await visit.cancel();
        await look(visit.link('PATIENT'), 'This visit was cancelled');
    });

    test('tells somebody in the lobby that the visit was cancelled', async () => {
        const visit = await service.visit();
        const patient = await visitor(visit.link('PATIENT'));
        await patient.getByRole('button', { name: 'Join the visit' }).waitFor();
        await visit.cancel();
        await heading(patient, 'This visit was cancelled');
    });
});
