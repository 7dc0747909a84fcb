// Chromium with a camera and a microphone that do not exist, and no way to any other host.
import { chromium } from 'playwright-core';
import { until } from './service.mjs';

const kFlags = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
    '--autoplay-policy=no-user-gesture-required',
];
const kFakeDevices = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

export function options(flags, hosts = []) {
    const reachable = ['127.0.0.1', 'localhost', ...hosts].map((host) => `, EXCLUDE ${host}`).join('');
    const rules = `--host-resolver-rules=MAP * ~NOTFOUND${reachable}`;
    return { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [...kFlags, rules, ...flags] };
}

/**
 * A browser of its own process. `devices: false`: nobody allows a camera or a microphone. `film`: what the camera sees.
 * `hosts`: what it may reach beside this machine; `trust`: keys whose certificates it believes, as `makeCertificate` names
 * them.
 */
export async function launch({ devices = true, film, hosts = [], trust = [] } = {}) {
    const flags = [...(devices ? kFakeDevices : []), ...(film ? [`--use-file-for-fake-video-capture=${film}`] : [])];
    if (trust.length) flags.push(`--ignore-certificate-errors-spki-list=${trust.join()}`);
    const server = await chromium.launchServer(options(flags, hosts));
    const browser = await chromium.connect(server.wsEndpoint());
    return {
        open: (settings) => open(browser, settings, hosts),
        close: () => server.close(),
        kill: () => server.kill(),
    };
}

/** A page that remembers its peer connections, and everything it should not have done. */
async function open(browser, settings = {}, hosts = []) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...settings });
    await context.addInitScript(() => {
        const Native = window.RTCPeerConnection;
        window.peers = [];
        window.RTCPeerConnection = class extends Native {
            constructor(...args) {
                super(...args);
                window.peers.push(this);
            }
        };
    });
    const page = await context.newPage();
    page.foreign = [];
    page.addresses = [];
    page.complaints = [];
    const look = (address) => {
        page.addresses.push(address);
        const { protocol, hostname } = new URL(address);
        if (!['127.0.0.1', 'localhost', ...hosts].includes(hostname) && !['data:', 'blob:'].includes(protocol)) page.foreign.push(address);
    };
    context.on('request', (request) => look(request.url()));
    page.on('websocket', (socket) => look(socket.url()));
    page.on('pageerror', (error) => page.complaints.push(String(error)));
    page.on('console', (message) => {
        if (/Content Security Policy|unsafe-eval/i.test(message.text())) page.complaints.push(message.text());
    });
    return page;
}

/** What has come in and gone out over all of a page's present connections. */
export function stats(page) {
    return page.evaluate(async () => {
        const sum = { framesDecoded: 0, framesEncoded: 0, audioEnergy: 0, audioPackets: 0, sends: [], nacks: 0, repeatsReceived: 0, repeatsSent: 0 };
        for (const peer of window.peers) {
            if (peer.connectionState === 'closed') continue;
            const report = await peer.getStats();
            for (const entry of report.values()) {
                if (entry.type === 'inbound-rtp' && entry.kind === 'video') {
                    sum.framesDecoded += entry.framesDecoded ?? 0;
                    sum.nacks += entry.nackCount ?? 0;
                    sum.repeatsReceived += entry.retransmittedPacketsReceived ?? 0;
                }
                if (entry.type === 'inbound-rtp' && entry.kind === 'audio') {
                    sum.audioEnergy += entry.totalAudioEnergy ?? 0;
                    sum.audioPackets += entry.packetsReceived ?? 0;
                }
                if (entry.type === 'outbound-rtp' && entry.kind === 'video') {
                    sum.framesEncoded += entry.framesEncoded ?? 0;
                    sum.repeatsSent += entry.retransmittedPacketsSent ?? 0;
                    const codec = report.get(entry.codecId)?.mimeType;
                    if (codec && entry.active !== false) sum.sends.push(codec);
                }
            }
        }
        return sum;
    });
}

/** Sees and hears the other side: both figures grow from now on. */
export async function seesAndHears(page, patience = 20_000) {
    const before = await stats(page);
    await until('decoded frames and received sound to grow', async () => {
        const now = await stats(page);
        return now.framesDecoded >= before.framesDecoded + 5 && now.audioEnergy > before.audioEnergy;
    }, patience);
}

export async function sees(page, patience = 20_000) {
    const before = await stats(page);
    await until('decoded frames to grow', async () => (await stats(page)).framesDecoded >= before.framesDecoded + 5, patience);
}

export async function hears(page, patience = 20_000) {
    const before = await stats(page);
    await until('received sound to grow', async () => (await stats(page)).audioEnergy > before.audioEnergy, patience);
}
