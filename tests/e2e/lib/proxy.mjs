// A TCP relay before the service, to cut connections as a bad network does: without goodbye.
import { connect, createServer } from 'node:net';

export async function relay(port) {
    const pairs = new Set();
    const server = createServer((near) => {
        if (!network.open) return near.destroy();
        const far = connect(port, '127.0.0.1');
        const pair = [near, far];
        pairs.add(pair);
        for (const [from, to] of [[near, far], [far, near]]) {
            from.pipe(to);
            from.on('error', () => {});
            from.on('close', () => {
                if (!pair.halfOpen) to.destroy();
                if (near.destroyed && far.destroyed) pairs.delete(pair);
            });
        }
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const cut = () => {
        for (const pair of pairs) for (const socket of pair) socket.destroy();
    };
    const network = {
        port: server.address().port,
        /** False: nobody gets through any more; those that are through stay. */
        open: true,
        cut,
        /** Only clients notice: to the service their connections look alive. */
        cutNear: () => {
            for (const pair of pairs) {
                pair.halfOpen = true;
                pair[1].unpipe();
                pair[1].resume();
                pair[0].destroy();
            }
        },
        /** What is open stays open, but nothing passes any more. */
        stall: () => {
            for (const pair of pairs) {
                for (const socket of pair) socket.unpipe().pause();
            }
        },
        close: () => {
            cut();
            return new Promise((done) => server.close(done));
        },
    };
    return network;
}
