// Starts and steers the stand-in for AWS's "Chime SDK Meetings" API.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as sdk from '@aws-sdk/client-chime-sdk-meetings';

export { sdk };

const program = join(dirname(fileURLToPath(import.meta.url)), '..', 'standins', 'chime.py');

/** Debian's Python: it has Debian's botocore. */
const python = process.env.DEBIAN_PYTHON ?? '/usr/bin/python3';

export class Chime {
    /** @param {{ key?: string, secret?: string, token?: string }} [credentials] the only ones it accepts. */
    static async start({ key = 'AKIDTESTONLY00000000', secret = 'a/secret+for/tests/only==', token } = {}) {
        const chime = new Chime();
        Object.assign(chime, { key, secret, token });
        const args = ['-B', program, '--port', '0', '--key', key, '--secret', secret, ...(token ? ['--token', token] : [])];
        // Its standard input is ours: it ends when this process does, however that ends.
        chime.process = spawn(python, args, { stdio: ['pipe', 'pipe', 'pipe'] });
        chime.log = '';
        chime.process.stderr.setEncoding('utf8').on('data', (text) => {
            chime.log = (chime.log + text).slice(-100_000);
        });
        chime.ended = once(chime.process, 'close');
        const lines = createInterface({ input: chime.process.stdout });
        const [line] = await Promise.race([once(lines, 'line'), chime.ended.then(() => [undefined])]);
        const port = /^listening (\d+)$/.exec(line)?.[1];
        if (!port) throw new Error(`the stand-in for Chime did not start:\n${chime.log}`);
        chime.port = Number(port);
        chime.url = `http://127.0.0.1:${port}`;
        return chime;
    }

    async stop() {
        this.process.stdin.end();
        await this.ended;
    }

    /** What the service needs to use it. */
    get environment() {
        return {
            AWS_ACCESS_KEY_ID: this.key,
            AWS_SECRET_ACCESS_KEY: this.secret,
            ...(this.token ? { AWS_SESSION_TOKEN: this.token } : {}),
            AWS_REGION: 'us-east-1',
            AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS: this.url,
        };
    }

    /** The official client, as a second opinion. */
    client({ key = this.key, secret = this.secret, token = this.token, region = 'us-east-1', attempts = 1 } = {}) {
        return new sdk.ChimeSDKMeetingsClient({
            region,
            endpoint: this.url,
            maxAttempts: attempts,
            credentials: { accessKeyId: key, secretAccessKey: secret, sessionToken: token },
        });
    }

    async control(name, order) {
        const answer = await fetch(`${this.url}/_control/${name}`, order === undefined ? {} : { method: 'POST', body: JSON.stringify(order) });
        const body = await answer.json();
        if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(body)}`);
        return body;
    }

    /** Every call, or every call of one operation, takes this long. */
    latency(ms, operation = null) {
        return this.control('latency', { ms, operation });
    }

    /** @param {{ operation?: string, count?: number, status?: number, code?: string, retryAfter?: number }} order */
    fail(order) {
        return this.control('fail', order);
    }

    throttle(order = {}) {
        return this.fail({ status: 429, code: 'ThrottlingException', ...order });
    }

    /** Calls are accepted and never answered; with `effect` they do their work first. */
    hang(order = {}) {
        return this.control('hang', order);
    }

    /** The work is done, but the connection breaks in the middle of the answer. */
    cut(order = {}) {
        return this.control('cut', order);
    }

    heal() {
        return this.control('heal', {});
    }

    /** What AWS does five minutes after the last one has gone. */
    end(meetingId) {
        return this.control('end', { meetingId });
    }

    /** @param {{ key: string, secret: string, token?: string }[]} known from now on the only ones. */
    accept(known) {
        return this.control('credentials', { known });
    }

    /** @returns {Promise<{ operation: string, time: number, status: number | null, meetingId: string, externalIds: string[] }[]>} */
    async calls(operation) {
        return (await this.control(operation ? `calls?operation=${operation}` : 'calls')).calls;
    }

    /** Every meeting there ever was, with its attendees, and how often each operation was called. */
    state() {
        return this.control('state');
    }

    async meeting(meetingId) {
        return (await this.state()).meetings.find((each) => each.MeetingId === meetingId);
    }

    /** Those that have not ended. */
    async open() {
        return (await this.state()).meetings.filter((each) => each.Ended === null);
    }

    reset() {
        return this.control('reset', {});
    }

    /**
     * Delivers events as an EventBridge API destination does, one after another.
     * @param {{ url: string, headers: Record<string, string>, copies?: number, shuffle?: number,
     *           events: { eventType: string, meetingId: string, attendeeId?: string, externalUserId?: string, timestamp?: number }[] }} order
     *     `shuffle` is the seed of another order.
     * @returns {Promise<{ id: string, eventType: string, status: number }[]>}
     */
    async events(order) {
        return (await this.control('events', order)).delivered;
    }
}
