// A meeting's signalling connection, as far as tests of the API need one: it enters like a browser, sends no media, and
// keeps what it is told. Frames are protobuf, read without a schema: { field number: [values] }.
import { randomInt } from 'node:crypto';
import WebSocket from 'ws';

const type = { JOIN: 1, JOIN_ACK: 2, SUBSCRIBE: 3, SUBSCRIBE_ACK: 4, INDEX: 5, LEAVE: 9, AUDIO_STATUS: 20, DATA_MESSAGE: 22 };

function varint(number) {
    const bytes = [];
    let rest = BigInt(number);
    do {
        const byte = Number(rest & 0x7fn);
        rest >>= 7n;
        bytes.push(rest > 0n ? byte | 0x80 : byte);
    } while (rest > 0n);
    return Buffer.from(bytes);
}

/** `[field, value]…`; a number, or bytes or a text or fields of their own. */
export function encode(...fields) {
    return Buffer.concat(
        fields.map(([field, value]) => {
            if (typeof value === 'number' || typeof value === 'bigint') return Buffer.concat([varint(field << 3), varint(value)]);
            const bytes = Buffer.from(value);
            return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
        }),
    );
}

export function decode(bytes) {
    const fields = {};
    let at = 0;
    const number = () => {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
            const byte = bytes[at++];
            value |= BigInt(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
    };
    while (at < bytes.length) {
        const tag = Number(number());
        const kind = tag & 7;
        let value;
        if (kind === 0) value = number();
        else if (kind === 2) {
            const size = Number(number());
            value = bytes.subarray(at, (at += size));
        } else value = bytes.subarray(at, (at += kind === 1 ? 8 : 4));
        (fields[tag >> 3] ??= []).push(value);
    }
    return fields;
}

/** An offer of a microphone; nobody is at its ICE address. */
const offer = [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=msid-semantic: WMS',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=ice-ufrag:tEsT',
    'a=ice-pwd:onlyForTestsOnlyForTests',
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    'a=setup:actpass',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=ssrc:1001 cname:test',
    '',
].join('\r\n');

export class Signalling {
    /** @returns when the answer to SUBSCRIBE is there, or the connection has closed. */
    static async join(meeting, attendee) {
        const signalling = new Signalling();
        const url = `${meeting.MediaPlacement.SignalingUrl}?X-Chime-Control-Protocol-Version=3&X-Amzn-Chime-Send-Close-On-Error=1`;
        signalling.socket = new WebSocket(url, ['_aws_wt_session', attendee.JoinToken]);
        signalling.frames = [];
        signalling.closed = new Promise((resolve) => signalling.socket.once('close', (code) => resolve(code)));
        signalling.socket.on('message', (data) => signalling.take(decode(data.subarray(1))));
        await new Promise((resolve, reject) => {
            signalling.socket.once('open', resolve);
            signalling.socket.once('error', reject);
        });
        signalling.send(type.JOIN, [4, encode([1, 2], [2, 25], [3, 2], [6, randomInt(1, 2 ** 31)])]);
        await signalling.seen('INDEX');
        if (signalling.code !== undefined) return signalling;
        signalling.send(type.SUBSCRIBE, [6, encode([1, 3], [2, encode([3, 32], [4, 'AmazonChimeExpressAudio'], [9, 1])], [4, offer], [5, 'audio'], [6, 0], [7, 0])]);
        await signalling.seen('SUBSCRIBE_ACK');
        return signalling;
    }

    constructor() {
        this.waiting = [];
    }

    take(frame) {
        this.frames.push(frame);
        this.waiting = this.waiting.filter((look) => !look());
    }

    send(kind, field) {
        this.socket.send(Buffer.concat([Buffer.from([5]), encode([1, Date.now()], [2, kind], field)]));
    }

    /** Waits for a frame of that type for which `holds`, or for the end of the connection (then it is undefined). */
    seen(name, holds = () => true) {
        const find = () => this.frames.find((frame) => Number(frame[2]?.[0]) === type[name] && holds(frame));
        return new Promise((resolve, reject) => {
            const found = find();
            if (found) return resolve(found);
            const timer = setTimeout(() => reject(new Error(`no ${name} came`)), 40_000);
            const done = (frame) => {
                clearTimeout(timer);
                resolve(frame);
                return true;
            };
            this.waiting.push(() => {
                const frame = find();
                return frame ? done(frame) : false;
            });
            this.closed.then((code) => {
                this.code = code;
                done(undefined);
            });
        });
    }

    /** The status that the client is told, such as 410. */
    async audioStatus(status) {
        const frame = await this.seen('AUDIO_STATUS', (each) => Number(decode(each[21][0])[1]?.[0]) === status);
        return frame && status;
    }

    leave() {
        this.send(type.LEAVE, [11, Buffer.alloc(0)]);
        this.socket.close();
    }
}

/** The transcription status in a data message: { type, region, configuration, message }. */
export function transcriptionStatus(frame) {
    for (const raw of decode(frame[23][0])[1] ?? []) {
        const message = decode(raw);
        if (message[1]?.[0]?.toString() !== 'aws:chime:transcription') continue;
        const status = decode(decode(decode(message[2][0])[1][0])[1][0]);
        return { type: Number(status[1][0]), region: status[3][0].toString(), configuration: status[4][0].toString(), message: status[5]?.[0].toString() };
    }
    return undefined;
}
