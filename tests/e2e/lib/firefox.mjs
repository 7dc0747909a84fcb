// Debian's Firefox with a camera and a microphone that do not exist, driven over WebDriver BiDi (w3.org/TR/webdriver-bidi).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';

const kPreferences = {
    'media.navigator.permission.disabled': true,
    'media.navigator.streams.fake': true,
    'media.autoplay.default': 0,
    // Without it Firefox looks for no way over the loopback interface, and no traffic may leave it here.
    'media.peerconnection.ice.loopback': true,
    'media.peerconnection.ice.obfuscate_host_addresses': false,
    'network.proxy.type': 0,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'network.dns.disabled': true,
    'app.update.enabled': false,
    'app.normandy.enabled': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.startup.homepage_override.mstone': 'ignore',
    'datareporting.policy.dataSubmissionEnabled': false,
    'toolkit.telemetry.enabled': false,
    'remote.active-protocols': 1,
};

/** One connection to the browser: commands with answers, and events. */
class Connection {
    constructor(socket) {
        this.socket = socket;
        this.last = 0;
        this.waiting = new Map();
        this.listeners = new Map();
        socket.on('message', (text) => {
            const message = JSON.parse(text);
            const waiter = this.waiting.get(message.id);
            this.waiting.delete(message.id);
            if (message.type === 'event') this.listeners.get(message.method)?.(message.params);
            else if (message.type === 'success') waiter?.done(message.result);
            else waiter?.failed(new Error(`${message.error}: ${message.message}`));
        });
        socket.on('close', () => {
            for (const { failed } of this.waiting.values()) failed(new Error('the browser is gone'));
            this.waiting.clear();
        });
    }

    static async open(url) {
        const socket = new WebSocket(url);
        await new Promise((done, failed) => socket.once('open', done).once('error', failed));
        return new Connection(socket);
    }

    command(method, params = {}) {
        this.last += 1;
        const id = this.last;
        return new Promise((done, failed) => {
            this.waiting.set(id, { done, failed });
            this.socket.send(JSON.stringify({ id, method, params }));
        });
    }

    on(event, listener) {
        this.listeners.set(event, listener);
    }
}

/** The part of a Chromium page's interface that the tests use. */
class Page {
    constructor(connection, context) {
        this.connection = connection;
        this.context = context;
        this.foreign = [];
        this.complaints = [];
    }

    addInitScript(script) {
        return this.connection.command('script.addPreloadScript', { functionDeclaration: String(script), contexts: [this.context] });
    }

    goto(url) {
        return this.connection.command('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
    }

    async evaluate(script, argument) {
        const expression = `(async () => JSON.stringify(await (${script})(${JSON.stringify(argument ?? null)})))()`;
        const answer = await this.connection.command('script.evaluate', {
            expression,
            target: { context: this.context },
            awaitPromise: true,
            userActivation: true,
        });
        if (answer.type === 'exception') throw new Error(answer.exceptionDetails.text);
        return answer.result.value === undefined ? undefined : JSON.parse(answer.result.value);
    }
}

export async function launchFirefox() {
    const profile = mkdtempSync(join(tmpdir(), 'firefox-'));
    const lines = Object.entries(kPreferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
    writeFileSync(join(profile, 'user.js'), `${lines.join('\n')}\n`);
    const child = spawn(process.env.FIREFOX ?? '/usr/bin/firefox-esr', ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'], {
        env: { PATH: process.env.PATH, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1', MOZ_DISABLE_CONTENT_SANDBOX: '1' },
        stdio: ['ignore', 'ignore', 'pipe'],
    });
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    const gone = new Promise((done) => child.once('close', done));
    let said = '';
    child.stderr.setEncoding('utf8');
    const url = await new Promise((done, failed) => {
        child.stderr.on('data', (text) => {
            said = (said + text).slice(-20_000);
            const found = said.match(/WebDriver BiDi listening on (ws:\/\/\S+)/);
            if (found) done(found[1]);
        });
        gone.then(() => failed(new Error(`Firefox ended at once:\n${said}`)));
    });
    const connection = await Connection.open(`${url}/session`);
    await connection.command('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
    const kill = async () => {
        child.kill('SIGKILL');
        await gone;
        process.off('exit', end);
        rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    };
    return { open: () => open(connection), kill, close: kill };
}

async function open(connection) {
    const { context } = await connection.command('browsingContext.create', { type: 'tab' });
    const page = new Page(connection, context);
    connection.on('network.beforeRequestSent', ({ request }) => {
        const { protocol, hostname } = new URL(request.url);
        const own = ['127.0.0.1', 'localhost'].includes(hostname) || ['data:', 'blob:', 'about:', 'chrome:', 'resource:'].includes(protocol);
        if (!own) page.foreign.push(request.url);
    });
    await connection.command('session.subscribe', { events: ['network.beforeRequestSent'], contexts: [context] });
    await page.addInitScript(() => {
        const Native = window.RTCPeerConnection;
        window.peers = [];
        window.RTCPeerConnection = class extends Native {
            constructor(...args) {
                super(...args);
                window.peers.push(this);
            }
        };
    });
    return page;
}
