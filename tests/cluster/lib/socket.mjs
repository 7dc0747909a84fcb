// A WebSocket client as small as the tests need it (RFC 6455): binary messages out, close codes and messages in.
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import http from 'node:http';

/** Emits `message` (Buffer) and, once, `close` (code; 1006 when the line just broke); `over` is a promise of that code. */
export class Socket extends EventEmitter {
    /** Rejects with an error that has the `status` of a refusal, 0 when nobody answered. */
    static open(url, subprotocols, patience = 5000, headers = {}) {
        return new Promise((resolve, reject) => {
            const refuse = (status) => reject(Object.assign(new Error(`${url}: ${status}`), { status }));
            const key = randomBytes(16).toString('base64');
            const request = http.request(url.replace(/^ws/, 'http'), {
                headers: {
                    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Protocol': subprotocols.join(', '),
                    ...headers,
                },
                timeout: patience,
            });
            request.on('timeout', () => request.destroy());
            request.on('error', () => refuse(0));
            request.on('response', (answer) => {
                answer.resume();
                refuse(answer.statusCode);
            });
            request.on('upgrade', (answer, stream, head) => {
                const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
                if (answer.headers['sec-websocket-accept'] !== accept) return refuse(answer.statusCode);
                stream.setTimeout(0);
                resolve(new Socket(stream, head));
            });
            request.end();
        });
    }

    constructor(stream, head) {
        super();
        this.stream = stream;
        this.rest = head;
        this.code = null;
        this.over = new Promise((resolve) => this.once('close', resolve));
        stream.on('data', (data) => {
            this.rest = Buffer.concat([this.rest, data]);
            this.read();
        });
        stream.on('error', () => {});
        stream.on('close', () => this.closed(1006));
        // Whoever opened it shall be listening by then.
        setImmediate(() => this.read());
    }

    read() {
        for (;;) {
            if (this.rest.length < 2) return;
            let size = this.rest[1] & 127;
            let start = 2;
            if (size === 126) {
                if (this.rest.length < 4) return;
                size = this.rest.readUInt16BE(2);
                start = 4;
            } else if (size === 127) {
                if (this.rest.length < 10) return;
                size = Number(this.rest.readBigUInt64BE(2));
                start = 10;
            }
            if (this.rest.length < start + size) return;
            const opcode = this.rest[0] & 15;
            const payload = this.rest.subarray(start, start + size);
            this.rest = this.rest.subarray(start + size);
            if (opcode === 8) {
                this.write(8, payload.subarray(0, 2));
                this.stream.end();
                return this.closed(payload.length >= 2 ? payload.readUInt16BE(0) : 1005);
            }
            if (opcode === 9) this.write(10, payload);
            if (opcode === 1 || opcode === 2) this.emit('message', payload);
        }
    }

    closed(code) {
        if (this.code !== null) return;
        this.code = code;
        this.emit('close', code);
    }

    send(payload) {
        this.write(2, payload);
    }

    /** Frames of a client are masked. */
    write(opcode, payload) {
        if (this.stream.destroyed || this.stream.writableEnded) return;
        const mask = randomBytes(4);
        const size = payload.length;
        const head = size < 126 ? Buffer.from([128 | opcode, 128 | size]) : Buffer.alloc(size < 65536 ? 4 : 10);
        if (size >= 126) {
            head[0] = 128 | opcode;
            head[1] = 128 | (size < 65536 ? 126 : 127);
            if (size < 65536) head.writeUInt16BE(size, 2);
            else head.writeBigUInt64BE(BigInt(size), 2);
        }
        this.stream.write(Buffer.concat([head, mask, payload.map((byte, at) => byte ^ mask[at % 4])]));
    }

    abort() {
        this.stream.destroy();
    }
}
