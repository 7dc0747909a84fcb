// The service with a certificate of its own and nothing before it: the page over HTTPS, the signalling over WSS.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serveBarePage } from './lib/bare_page.mjs';
import { launch, seesAndHears } from './lib/browser.mjs';
import { Clients, events } from './lib/meeting.mjs';
import { SecureService } from './lib/secure_service.mjs';
import { until } from './lib/service.mjs';

describe('a certificate of its own', { timeout: 120_000 }, () => {
    let service;
    let bare;
    let clients;
    let browser;

    before(async () => {
        service = await SecureService.create();
        bare = await serveBarePage();
        clients = new Clients(bare.url, [], [service.pair.keyHash]);
    });

    after(async () => {
        const foreign = clients?.foreign;
        await clients?.close();
        await browser?.close();
        await bare?.close();
        await service?.dispose();
        assert.deepEqual(foreign, [], 'requests to foreign hosts');
    });

    test('the page and an unmodified client meet over HTTPS and WSS', async () => {
        const visit = await service.visit();
        const pass = await visit.join('PATIENT');
        assert.match(pass.media_placement.signaling_url, /^wss:/);
        const patient = await clients.join(pass, { watched: true });
        browser = await launch({ trust: [service.pair.keyHash] });
        const doctor = await browser.open();
        await doctor.goto(visit.link('DOCTOR'));
        await doctor.getByRole('button', { name: 'Join the visit' }).click();
        await doctor.locator('.chip', { hasText: 'Connected' }).waitFor();
        await Promise.all([seesAndHears(doctor), seesAndHears(patient)]);
        assert.equal(new URL(doctor.url()).protocol, 'https:');
        assert.equal(await doctor.evaluate(() => window.isSecureContext), true);
        const own = doctor.addresses.filter((address) => !/^(data|blob):/.test(address));
        assert.ok(own.some((address) => address.startsWith('wss:')));
        assert.deepEqual(own.filter((address) => !/^(https|wss):/.test(address)), [], 'nothing in the clear');
        assert.ok(patient.signalling.every(({ url }) => url.startsWith('wss:')));
        assert.deepEqual(doctor.complaints, []);
        assert.deepEqual(doctor.foreign, []);
    });

    test('who does not believe the certificate does not get in', async () => {
        const strangers = new Clients(bare.url);
        try {
            const page = await strangers.page(undefined, { watched: true });
            const visit = await service.visit();
            await page.evaluate((pass) => window.client.join(pass, { camera: false }), await visit.join('PATIENT'));
            await until('two attempts', () => page.signalling.length >= 2 && page.signalling.slice(0, 2).every(({ open }) => !open));
            assert.ok(page.signalling.every((connection) => connection.in.length === 0));
            assert.deepEqual(await events(page, 'started'), []);
        } finally {
            await strangers.close();
        }
    });
});
