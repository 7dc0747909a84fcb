// A relay of signalling before the service that changes frames on their way.
import { createRequire } from 'node:module';
import WebSocket, { WebSocketServer } from 'ws';

const { SdkSignalFrame } = createRequire(import.meta.url)('amazon-chime-sdk-js/build/signalingprotocol/SignalingProtocol.js');

/** The message, or what `change` makes of its frame: it gives a true value when it has changed something. */
function changed(message, change) {
    if (!change) return message;
    const frame = SdkSignalFrame.decode(message.subarray(1));
    return change(frame) ? Buffer.concat([message.subarray(0, 1), SdkSignalFrame.encode(frame).finish()]) : message;
}

/** As some servers of the protocol want it: clients compress their offers. */
export const wantsCompressedOffers = (frame) => {
    if (!frame.joinack) return false;
    frame.joinack.wantsCompressedSdp = true;
    return true;
};

/** The first offer that passes names a certificate that nobody has: its encryption cannot be agreed on. */
export function spoilsFirstOffer() {
    let spoilt = false;
    return (frame) => {
        if (spoilt || !frame.sub?.sdpOffer) return false;
        spoilt = true;
        frame.sub.sdpOffer = frame.sub.sdpOffer.replace(/(a=fingerprint:sha-256 )(..)/g, (line, name, byte) => name + (byte === '00' ? '01' : '00'));
        return true;
    };
}

/** `toClient`, `toServer`: see `changed`. */
export async function changingRelay(port, { toClient, toServer } = {}) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => '_aws_wt_session' });
    server.on('connection', (near, request) => {
        const far = new WebSocket(`ws://127.0.0.1:${port}${request.url}`, request.headers['sec-websocket-protocol'].split(', '));
        const early = [];
        near.on('message', (raw) => {
            const message = changed(raw, toServer);
            if (far.readyState === WebSocket.OPEN) far.send(message);
            else early.push(message);
        });
        far.on('open', () => early.forEach((message) => far.send(message)));
        far.on('message', (message) => near.send(changed(message, toClient)));
        for (const [from, to] of [[near, far], [far, near]]) {
            from.on('close', () => to.terminate());
            from.on('error', () => {});
        }
    });
    await new Promise((done) => server.once('listening', done));
    return {
        port: server.address().port,
        close: () => {
            for (const socket of server.clients) socket.terminate();
            return new Promise((done) => server.close(done));
        },
    };
}
