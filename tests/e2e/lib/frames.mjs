// What goes over a page's signalling sockets, read with the client library's own description of the frames.
import { createRequire } from 'node:module';

const { SdkSignalFrame } = createRequire(import.meta.url)('amazon-chime-sdk-js/build/signalingprotocol/SignalingProtocol.js');

/** One signalling connection of a page, as it was seen until now. */
class Signalling {
    constructor(socket) {
        this.url = socket.url();
        this.in = [];
        this.out = [];
        this.open = true;
        socket.on('framereceived', ({ payload }) => keep(this.in, payload));
        socket.on('framesent', ({ payload }) => keep(this.out, payload));
        socket.on('close', () => {
            this.open = false;
        });
    }
}

function keep(list, payload) {
    // The first byte is not part of the frame.
    const frame = SdkSignalFrame.toObject(SdkSignalFrame.decode(payload.subarray(1)), { enums: String, longs: Number });
    list.push({ at: Date.now(), ...frame });
}

/** To be called before the page joins; the connections then stand in `page.signalling`, oldest first. */
export function watchSignalling(page) {
    page.signalling = [];
    page.on('websocket', (socket) => page.signalling.push(new Signalling(socket)));
}

/** All frames of a type that a page was sent, over all its connections. */
export function received(page, type) {
    return page.signalling.flatMap((connection) => connection.in).filter((frame) => frame.type === type);
}

export function sent(page, type) {
    return page.signalling.flatMap((connection) => connection.out).filter((frame) => frame.type === type);
}

/** The last INDEX. */
export function indexOf(page) {
    return received(page, 'INDEX').at(-1).index;
}
