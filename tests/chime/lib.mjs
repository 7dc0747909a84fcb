// What the tests of `/chime` share: the service with keys configured, AWS's own client against it, requests signed by
// hand, and a listener for what it tells.
import { createHash, createHmac, randomUUID } from 'node:crypto';
import http from 'node:http';
import * as sdk from '@aws-sdk/client-chime-sdk-meetings';
import { Postgres } from '../lib/postgres.js';
import { Server } from '../lib/server.js';

export { sdk };

export const key = 'AKIDTESTONLY00000000';
export const secret = 'a/secret+for/tests/only==';
export const keys = { CHIME_API_KEYS: `${key}:${secret}, OTHERKEY:another/secret/for+tests` };

/** Waits until `look` gives something; says what was waited for. */
export async function until(what, look, patience = 20_000) {
    const deadline = Date.now() + patience;
    for (;;) {
        const found = await look();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** Runs the tests of `body` on each store; `body` gets a function that gives the running server. */
export function onEachStore(describe, name, hooks, options, body) {
    for (const store of ['sqlite', 'postgres']) {
        describe(`${name} (${store})`, () => {
            const world = { store };
            hooks.before(async () => {
                if (store === 'postgres') {
                    world.postgres = await Postgres.start();
                    world.database = await world.postgres.createDatabase();
                }
                const databaseUrl = world.postgres?.url(world.database);
                world.server = await Server.start({ env: { ...keys, ...options.env }, databaseUrl });
                world.databaseUrl = databaseUrl;
            });
            hooks.after(async () => {
                await world.server?.stop();
                await world.postgres?.stop();
            });
            body(world);
        });
    }
}

/** AWS's client for JavaScript. */
export function client(server, { accessKeyId = key, secretAccessKey = secret, region = 'eu-central-1', ...more } = {}) {
    return new sdk.ChimeSDKMeetingsClient({
        region,
        endpoint: `${server.url}/chime`,
        credentials: { accessKeyId, secretAccessKey },
        maxAttempts: 1,
        ...more,
    });
}

export function newMeeting(more = {}) {
    return { ClientRequestToken: randomUUID(), MediaRegion: 'eu-central-1', ExternalMeetingId: 'visit-17', ...more };
}

/** What a command is refused with; fails when it is not. */
export async function refusal(promise, what = 'it') {
    try {
        await promise;
    } catch (error) {
        return { name: error.name, status: error.$metadata?.httpStatusCode, message: error.message, error };
    }
    throw new Error(`${what} was not refused`);
}

const hash = (text) => createHash('sha256').update(text).digest('hex');
const mac = (seed, text) => createHmac('sha256', seed).update(text).digest();

/**
 * A request signed by hand, each step of which can be made wrong.
 * @returns {Promise<{ status: number, headers: Record<string, string>, body: any }>}
 */
export async function signed(server, method, path, { body = '', at = new Date(), headers = {}, omit = [], signer = {}, tamper = (all) => all } = {}) {
    const { id = key, secretKey = secret, region = 'eu-central-1', service = 'chime', payload = hash(body) } = signer;
    const url = new URL(path, server.url);
    const time = at.toISOString().replace(/[-:]|\.\d+/g, '');
    const all = { host: url.host, 'x-amz-date': time, 'x-amz-content-sha256': payload, ...headers };
    for (const name of omit) delete all[name];
    const names = Object.keys(all).sort();
    const query = [...url.searchParams].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).sort().join('&');
    const canonical = [method, encodeURIComponent(url.pathname).replaceAll('%2F', '/'), query, ...names.map((name) => `${name}:${all[name]}`), '', names.join(';'), payload].join('\n');
    const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
    const seed = [time.slice(0, 8), region, service, 'aws4_request'].reduce(mac, `AWS4${secretKey}`);
    const signature = mac(seed, ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n')).toString('hex');
    all.authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
    return await plain(server, method, url.pathname + url.search, tamper({ headers: all, body }));
}

/** A request as it is. */
export function plain(server, method, path, { headers = {}, body = '' } = {}) {
    const url = new URL(server.url);
    return new Promise((resolve, reject) => {
        const request = http.request({ host: url.hostname, port: url.port, method, path, headers: { 'content-length': Buffer.byteLength(body), ...headers } }, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => {
                const text = Buffer.concat(chunks).toString('utf8');
                resolve({ status: response.statusCode, headers: response.headers, text, body: text === '' ? undefined : JSON.parse(text) });
            });
        });
        request.on('error', reject);
        request.end(body);
    });
}

/** Takes notifications, and answers what it is told to answer. */
export class Listener {
    static async start() {
        const listener = new Listener();
        listener.taken = [];
        listener.refused = [];
        listener.status = 200;
        listener.server = http.createServer((request, response) => {
            const chunks = [];
            request.on('data', (chunk) => chunks.push(chunk));
            request.on('end', () => {
                const text = Buffer.concat(chunks).toString('utf8');
                const entry = { headers: request.headers, text, event: JSON.parse(text) };
                (listener.status < 300 ? listener.taken : listener.refused).push(entry);
                response.writeHead(listener.status);
                response.end();
            });
        });
        await new Promise((resolve) => listener.server.listen(0, '127.0.0.1', resolve));
        listener.url = `http://127.0.0.1:${listener.server.address().port}/events`;
        return listener;
    }
    /** `MeetingStarted`, … of a meeting, in the order of arrival. */
    types(meetingId) {
        return this.taken.filter((each) => each.event.detail.meetingId === meetingId).map((each) => each.event.detail.eventType.replace('chime:', ''));
    }
    stop() {
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(resolve));
    }
}
