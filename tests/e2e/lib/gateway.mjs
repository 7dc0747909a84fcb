// A gateway as they stand before the service: strips a prefix, shows the service another host name, knows no WebSockets.
import { createServer, request } from 'node:http';

export async function gateway(prefix, port) {
    const server = createServer((incoming, answer) => {
        if (!incoming.url.startsWith(`${prefix}/`)) return answer.writeHead(404).end();
        const onward = request(
            { host: '127.0.0.1', port, method: incoming.method, path: incoming.url.slice(prefix.length), headers: { ...incoming.headers, host: `127.0.0.1:${port}` } },
            (reply) => {
                answer.writeHead(reply.statusCode, reply.headers);
                reply.pipe(answer);
            },
        );
        onward.on('error', () => answer.destroy());
        incoming.pipe(onward);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        url: `http://127.0.0.1:${server.address().port}${prefix}`,
        close: () => {
            server.closeAllConnections();
            return new Promise((done) => server.close(done));
        },
    };
}
