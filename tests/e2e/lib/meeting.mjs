// Two or more bare clients in one meeting, and what they saw.
import { launch } from './browser.mjs';
import { launchFirefox } from './firefox.mjs';
import { watchSignalling } from './frames.mjs';
import { until } from './service.mjs';

/** Bare clients, one browser process each, closed together. */
export class Clients {
    /** `hosts`: what the browsers may reach beside this machine; `trust`: as `launch` takes it. */
    constructor(bareUrl, hosts = [], trust = []) {
        this.bareUrl = bareUrl;
        this.chromium = { hosts, trust };
        this.browsers = [];
        this.pages = [];
    }

    /**
     * A page with the client library that has not joined anything. `together`: in one browser with the others of its kind;
     * `watched`: its frames are kept, as lib/frames.mjs says.
     */
    async page(prepare, { firefox = false, together = false, watched = false } = {}) {
        const browser = together ? await this.common() : firefox ? await launchFirefox() : await launch(this.chromium);
        if (!this.browsers.includes(browser)) this.browsers.push(browser);
        const page = await browser.open();
        page.browser = browser;
        this.pages.push(page);
        if (watched) watchSignalling(page);
        if (prepare) await page.addInitScript(prepare);
        await page.goto(this.bareUrl);
        return page;
    }

    common() {
        this.shared ??= launch(this.chromium);
        return this.shared;
    }

    /** `options.firefox`, `options.together`, `options.watched`: as `page` takes them; the rest is for the client. */
    async join(answer, { firefox, together, watched, ...options } = {}, prepare) {
        const page = await this.page(prepare, { firefox, together, watched });
        page.attendee = answer.Attendee?.AttendeeId ?? answer.attendee.attendee_id;
        await page.evaluate(([pass, wishes]) => window.client.join(pass, wishes), [answer, options]);
        await saw(page, 'started');
        return page;
    }

    async close() {
        await Promise.all(this.browsers.map((browser) => browser.close().catch(() => {})));
    }

    get foreign() {
        return this.pages.flatMap((page) => page.foreign);
    }
}

export function events(page, name) {
    return page.evaluate((wanted) => window.client.events.filter((event) => event.name === wanted), name);
}

/** Waits for an event of that name for which `holds(...values)`; looks at the past too, from the `from`th event on. */
export async function saw(page, name, holds = () => true, { from = 0, patience = 15_000 } = {}) {
    return until(`"${name}"`, async () => (await events(page, name)).slice(from).find((event) => holds(...event.values)), patience);
}

/** How many events of that name there have been, to look only at later ones. */
export async function count(page, name) {
    return (await events(page, name)).length;
}

/** The UDP ports that a page's media go from, as a relay before the service sees them. */
export function mediaPorts(page) {
    return page.evaluate(async () => {
        const ports = [];
        for (const peer of window.peers) {
            if (peer.connectionState !== 'connected') continue;
            const report = await peer.getStats();
            for (const entry of report.values()) {
                if (entry.type !== 'transport') continue;
                // The candidate's own port is the one that the service sees behind the relay.
                const { relatedPort, port } = report.get(report.get(entry.selectedCandidatePairId).localCandidateId);
                ports.push(relatedPort ?? port);
            }
        }
        return ports;
    });
}
