// Stands between the service and its database, and cuts connections in the middle of what they say.
import net from 'node:net';

export class CuttingProxy {
    static async start(targetPort) {
        const proxy = new CuttingProxy();
        Object.assign(proxy, { targetPort, cuts: 0, within: 0, sockets: new Set() });
        proxy.server = net.createServer((client) => proxy.carry(client));
        await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
        proxy.port = proxy.server.address().port;
        return proxy;
    }

    /** From now on each connection is cut after at most so many more bytes of either side. */
    cutWithin(bytes) {
        this.within = bytes;
    }

    leaveAlone() {
        this.within = 0;
    }

    carry(client) {
        const database = net.connect(this.targetPort, '127.0.0.1');
        const end = () => {
            client.destroy();
            database.destroy();
            this.sockets.delete(client);
        };
        this.sockets.add(client);
        let left;
        const pass = (to) => (bytes) => {
            if (this.within === 0) {
                left = undefined;
                return void to.write(bytes);
            }
            left ??= Math.floor(Math.random() * this.within);
            // Half of a message may still arrive.
            to.write(bytes.subarray(0, left));
            left -= bytes.length;
            if (left > 0) return;
            ++this.cuts;
            setImmediate(end);
        };
        client.on('data', pass(database));
        database.on('data', pass(client));
        for (const socket of [client, database]) {
            socket.setNoDelay(true);
            socket.on('error', end);
            socket.on('close', end);
        }
    }

    async stop() {
        for (const socket of this.sockets) socket.destroy();
        await new Promise((resolve) => this.server.close(resolve));
    }
}
