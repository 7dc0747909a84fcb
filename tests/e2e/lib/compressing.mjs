// A relay of signalling before the service that makes clients compress their offers, as some servers of the protocol want it.
import { createRequire } from 'node:module';
import WebSocket, { WebSocketServer } from 'ws';

const { SdkSignalFrame } = createRequire(import.meta.url)('amazon-chime-sdk-js/build/signalingprotocol/SignalingProtocol.js');

/** The same message, but a JOIN_ACK wants compressed offers. */
function changed(message) {
    const frame = SdkSignalFrame.decode(message.subarray(1));
    if (frame.type !== SdkSignalFrame.Type.JOIN_ACK || !frame.joinack) return message;
    frame.joinack.wantsCompressedSdp = true;
    return Buffer.concat([message.subarray(0, 1), SdkSignalFrame.encode(frame).finish()]);
}

export async function compressingRelay(port) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => '_aws_wt_session' });
    server.on('connection', (near, request) => {
        const far = new WebSocket(`ws://127.0.0.1:${port}${request.url}`, request.headers['sec-websocket-protocol'].split(', '));
        const early = [];
        near.on('message', (message) => (far.readyState === WebSocket.OPEN ? far.send(message) : early.push(message)));
        far.on('open', () => early.forEach((message) => far.send(message)));
        far.on('message', (message) => near.send(changed(message)));
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
