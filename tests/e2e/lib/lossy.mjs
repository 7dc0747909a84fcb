// A UDP relay between clients and the media port that loses every n-th media packet, in both directions.
import { createSocket } from 'node:dgram';

/** `loss.every`: 0 loses nothing; may be changed at any time. `target` is set once the service's port is known. */
export async function lossyRelay() {
    const near = createSocket('udp4');
    const clients = new Map();
    const loss = { every: 0, seen: 0, lost: 0 };
    const relay = { loss, target: 0 };
    const drop = (packet) => {
        if (loss.every === 0 || packet[0] < 128 || packet[0] > 191) return false; // RTP and RTCP only.
        loss.seen += 1;
        if (loss.seen % loss.every !== 0) return false;
        loss.lost += 1;
        return true;
    };
    near.on('message', (packet, from) => {
        const name = `${from.address}:${from.port}`;
        let far = clients.get(name);
        if (!far) {
            far = createSocket('udp4');
            far.on('message', (answer) => {
                if (!drop(answer)) near.send(answer, from.port, from.address);
            });
            far.on('error', () => {});
            clients.set(name, far);
        }
        if (!drop(packet)) far.send(packet, relay.target, '127.0.0.1');
    });
    await new Promise((done) => near.bind(0, '127.0.0.1', done));
    relay.port = near.address().port;
    relay.close = () => {
        near.close();
        for (const far of clients.values()) far.close();
    };
    return relay;
}
