// A TCP relay before the service, to cut connections as a bad network does: without goodbye.
import { connect, createServer } from 'node:net';

export async function relay(port) {
    const pairs = new Set();
    const server = createServer((near) => {
        const far = connect(port, '127.0.0.1');
        const pair = [near, far];
        pairs.add(pair);
        for (const [from, to] of [[near, far], [far, near]]) {
            from.pipe(to);
            from.on('error', () => {});
            from.on('close', () => {
                to.destroy();
                pairs.delete(pair);
            });
        }
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const cut = () => {
        for (const pair of pairs) for (const socket of pair) socket.destroy();
    };
    return {
        port: server.address().port,
        cut,
        close: () => {
            cut();
            return new Promise((done) => server.close(done));
        },
    };
}
