// What stands before an installation of several nodes: one address for the page and the API, answered by any node that
// lives. Knows no WebSockets; those go directly to the node that the answer names.
import { createServer, request } from 'node:http';

/** `nodes`: `{ url }`, the first that answers is asked; more may be added to `targets` later. */
export async function front(nodes) {
    const targets = [...nodes];
    const server = createServer((incoming, answer) => {
        const chunks = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('end', () => pass(incoming, Buffer.concat(chunks), answer, [...targets]));
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        targets,
        url: `http://127.0.0.1:${server.address().port}`,
        close: () => {
            server.closeAllConnections();
            return new Promise((done) => server.close(done));
        },
    };
}

function pass(incoming, body, answer, targets) {
    const target = targets.shift();
    if (!target) return answer.writeHead(502).end();
    const { hostname, port } = new URL(target.url);
    const onward = request({ host: hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers, timeout: 3000 }, (reply) => {
        answer.writeHead(reply.statusCode, reply.headers);
        reply.pipe(answer);
    });
    onward.on('timeout', () => onward.destroy());
    onward.on('error', () => (answer.headersSent ? answer.destroy() : pass(incoming, body, answer, targets)));
    onward.end(body);
}
