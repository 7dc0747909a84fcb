// A UDP relay between clients and the media port that behaves like a bad line: loss, delay, jitter, reordering, repeats, a
// narrow link with a queue, outages, and a NAT that forgets its mappings. The same seed makes the same line again.
import { createSocket } from 'node:dgram';

/** Small and good enough to roll dice with (Marsaglia's xorshift, 32 bits). */
function dice(seed) {
    let state = seed >>> 0 || 1;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return (state >>> 0) / 2 ** 32;
    };
}

export const kGoodLine = { loss: 0, delay: 0, jitter: 0, reorder: false, repeat: 0, rate: 0, queue: 300, down: false };

/** One direction of one client's line. */
class Lane {
    /** `line`: says how it is at the moment. */
    constructor(line, roll, send) {
        Object.assign(this, { line, roll, send, freeAt: 0, lastOut: 0, passed: 0, lost: 0, overflowed: 0, bytes: 0 });
    }

    /** The line may change at any time; packets under way keep what they were given. */
    take(packet) {
        const { roll } = this;
        const line = this.line();
        if (line.down || roll() < line.loss) {
            this.lost += 1;
            return;
        }
        const now = performance.now();
        let at = now + line.delay + roll() * line.jitter;
        if (line.rate > 0) {
            // In ms; with the headers that a real line would carry.
            const begins = Math.max(now, this.freeAt);
            if (begins - now > line.queue) {
                this.overflowed += 1;
                return;
            }
            this.freeAt = begins + ((packet.length + 28) * 8) / line.rate;
            at += this.freeAt - now;
        }
        if (!line.reorder) at = Math.max(at, this.lastOut);
        this.lastOut = Math.max(this.lastOut, at);
        this.deliver(packet, at - now);
        if (roll() < line.repeat) this.deliver(packet, at - now + 2);
    }

    deliver(packet, wait) {
        this.passed += 1;
        this.bytes += packet.length;
        if (wait < 0.5) this.send(packet);
        else setTimeout(this.send, wait, packet);
    }
}

/**
 * `target` is set once the service's port is known. `up` and `down` hold for all clients; rates are in kbit/s, times in ms. `tap`,
 * where it is set, is called with every packet that comes from a client, and the client's port.
 */
export async function impairedLine(seed = 1) {
    const near = createSocket('udp4');
    const clients = new Map();
    const own = new Map();
    const relay = { target: 0, up: { ...kGoodLine }, down: { ...kGoodLine } };
    let open = true;

    function reach(client) {
        const far = createSocket('udp4');
        far.on('message', (answer) => client.down.take(answer));
        far.on('error', () => {});
        client.far = far;
    }

    near.on('message', (packet, from) => {
        const name = `${from.address}:${from.port}`;
        let client = clients.get(name);
        if (!client) {
            client = {};
            client.up = new Lane(() => own.get(from.port)?.up ?? relay.up, dice(seed + 2 * clients.size), (data) => open && client.far.send(data, relay.target, '127.0.0.1'));
            client.down = new Lane(() => own.get(from.port)?.down ?? relay.down, dice(seed + 2 * clients.size + 1), (data) => open && near.send(data, from.port, from.address));
            reach(client);
            clients.set(name, client);
        }
        relay.tap?.(packet, from.port);
        client.up.take(packet);
    });
    await new Promise((done) => near.bind(0, '127.0.0.1', done));
    relay.port = near.address().port;

    /** How the line is from now on, in one direction (`up`: towards the service) or both. */
    relay.set = (line, directions = ['up', 'down']) => {
        for (const direction of directions) Object.assign(relay[direction], kGoodLine, line);
    };
    /** How it is for those only that send from one of these ports. */
    relay.setOwn = (ports, line, directions = ['up', 'down']) => {
        for (const port of ports) {
            const lines = own.get(port) ?? { up: { ...kGoodLine }, down: { ...kGoodLine } };
            for (const direction of directions) Object.assign(lines[direction], kGoodLine, line);
            own.set(port, lines);
        }
    };
    /** The NAT forgets: the service sees every client at a new address. */
    relay.rebind = () => {
        for (const client of clients.values()) {
            const before = client.far;
            reach(client);
            before.close();
        }
    };
    relay.figures = () => {
        const sum = { passed: 0, lost: 0, overflowed: 0 };
        for (const { up, down } of clients.values()) {
            for (const lane of [up, down]) for (const name of Object.keys(sum)) sum[name] += lane[name];
        }
        return sum;
    };
    relay.close = () => {
        open = false;
        near.close();
        for (const { far } of clients.values()) far.close();
    };
    return relay;
}
