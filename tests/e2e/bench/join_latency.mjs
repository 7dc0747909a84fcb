// How long a person waits: from the request to join until the first frame of the other side is decoded.
// node bench/join_latency.mjs [rounds]; prints milliseconds.
import { serveBarePage } from '../lib/bare_page.mjs';
import { Clients } from '../lib/meeting.mjs';
import { Service, sleep } from '../lib/service.mjs';

const rounds = Number(process.argv[2] ?? 10);
const service = await Service.create();
const bare = await serveBarePage();
const clients = new Clients(bare.url);
const waits = [];
try {
    const visit = await service.visit();
    await clients.join(await visit.join('DOCTOR'));
    for (let round = 0; round < rounds; ++round) {
        const page = await clients.page();
        await page.evaluate(() => window.client.ready());
        await sleep(500);
        const wait = await page.evaluate(async ([url, token]) => {
            const remote = document.getElementById('remote');
            const begun = performance.now();
            const seen = new Promise((done) => remote.addEventListener('loadeddata', () => done(performance.now() - begun)));
            const answer = await fetch(url, {
                method: 'POST',
                headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
                body: '{}',
            });
            await window.client.join(await answer.json());
            return seen;
        }, [`${service.url}/api/video/sessions/${visit.id}/join`, service.token('PATIENT', '34')]);
        waits.push(wait);
        await page.evaluate(() => window.client.leave());
        await sleep(500);
        await page.browser.close();
    }
} finally {
    await clients.close();
    await bare.close();
    await service.dispose();
}
waits.sort((a, b) => a - b);
const middle = (waits[Math.floor((rounds - 1) / 2)] + waits[Math.ceil((rounds - 1) / 2)]) / 2;
console.log(`join to first decoded frame, ${rounds} rounds: median ${middle.toFixed(0)} ms, fastest ${waits[0].toFixed(0)}, slowest ${waits[rounds - 1].toFixed(0)}`);
