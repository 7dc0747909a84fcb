// Ports for servers that the tests start: free a moment ago, for TCP and UDP.
import dgram from 'node:dgram';
import net from 'node:net';

/** @returns {Promise<number>} */
export async function freePort() {
    for (;;) {
        const port = await new Promise((resolve, reject) => {
            const probe = net.createServer();
            probe.once('error', reject);
            probe.listen(0, '127.0.0.1', () => {
                const chosen = probe.address().port;
                probe.close(() => resolve(chosen));
            });
        });
        const udpIsFree = await new Promise((resolve) => {
            const probe = dgram.createSocket('udp4');
            probe.once('error', () => resolve(false));
            probe.bind(port, '127.0.0.1', () => probe.close(() => resolve(true)));
        });
        if (udpIsFree) return port;
    }
}
