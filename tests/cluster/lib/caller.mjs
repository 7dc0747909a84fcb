// One person in a meeting, without browser and media: the captured frames of a Chime client over a socket. Does what
// applications are asked to do: when the line breaks, or is told to come again, it joins anew over REST and goes where it
// is sent.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Socket } from './socket.mjs';

const recorded = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'src', 'media', 'room', 'testdata', 'frames-alice.hex');
const frames = readFileSync(recorded, 'utf8').split('\n').filter(Boolean).map((line) => Buffer.from(line, 'hex'));
const [PING, JOIN, SUBSCRIBE] = frames;
const kSubscribeAck = 4;
const kAudioStatus = 20;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Field 2 of a frame, behind field 1 (a varint): its type. */
function typeOf(message) {
    let at = 2;
    while (message[at] & 128) ++at;
    return message[at + 1] === 0x10 ? message[at + 2] : 0;
}

export class Caller {
    /** `join`: asks REST for a pass, at whichever node. `follow`: false does not join anew by itself. */
    constructor(join, { follow = true } = {}) {
        this.join = join;
        this.follow = follow;
        this.log = []; // { at, what, code? }
        this.leaving = false;
    }

    note(what, more = {}) {
        this.log.push({ at: Date.now(), what, ...more });
    }

    get inside() {
        return this.socket !== undefined && this.socket.code === null && this.log.at(-1)?.what === 'inside';
    }

    /** Joins, again and again until it is in. The pass that led there. */
    async enter(patience = 30_000) {
        const deadline = Date.now() + patience;
        for (;;) {
            const answer = await this.join();
            if (answer.status === 200 && (await this.connect(answer.body))) return answer.body;
            if (this.leaving) return null;
            if (Date.now() > deadline) throw new Error(`not in the meeting within ${patience} ms: ${JSON.stringify(this.log.slice(-6))}`);
            await pause(500);
        }
    }

    /** True when the meeting has taken the subscription. */
    async connect(pass) {
        this.pass = pass;
        let socket;
        try {
            socket = await Socket.open(`${pass.media_placement.signaling_url}?X-Chime-Control-Protocol-Version=3`, ['_aws_wt_session', pass.attendee.join_token]);
        } catch (error) {
            this.note('refused', { code: error.status });
            return false;
        }
        this.socket = socket;
        const inside = new Promise((resolve) => {
            socket.on('message', (message) => {
                const type = typeOf(message);
                if (type === kSubscribeAck) {
                    this.note('inside', { url: pass.media_placement.signaling_url });
                    resolve(true);
                }
                if (type === kAudioStatus) this.note('status');
            });
            socket.on('close', (code) => {
                clearInterval(this.pinging);
                resolve(false);
                this.note('closed', { code });
                if (this.follow && !this.leaving && (code === 1006 || code >= 4500)) void this.enter().catch((error) => this.note('lost', { error: error.message }));
            });
        });
        socket.send(JOIN);
        socket.send(SUBSCRIBE);
        this.pinging = setInterval(() => socket.send(PING), 10_000);
        this.pinging.unref();
        return inside;
    }

    /** Ends the line without a word, as a test's end does. */
    hangUp() {
        this.leaving = true;
        this.socket?.abort();
    }

    closings(code) {
        return this.log.filter((each) => each.what === 'closed' && (code === undefined || each.code === code));
    }
}
