// Serves a page that is nothing but the published client library, bundled as it is, from an origin of its own.
import { build } from 'esbuild';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'bare');

export async function serveBarePage() {
    const { outputFiles } = await build({
        entryPoints: [join(folder, 'client.mjs')],
        bundle: true,
        format: 'iife',
        platform: 'browser',
        define: { global: 'globalThis' },
        alias: { '@aws-sdk/client-chime-sdk-messaging': join(folder, 'empty.mjs') },
        write: false,
        logLevel: 'error',
    });
    const script = outputFiles[0].text;
    const page = '<!doctype html><title>bare</title><video id="local" muted autoplay></video><video id="remote" muted autoplay></video><audio id="audio" autoplay></audio><script src="/client.js"></script>';
    const server = createServer((request, response) => {
        const wanted = { '/': ['text/html', page], '/client.js': ['text/javascript', script] }[request.url];
        response.writeHead(wanted ? 200 : 204, { 'Content-Type': wanted?.[0] ?? 'text/plain' });
        response.end(wanted?.[1]);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return {
        url: `http://127.0.0.1:${server.address().port}/`,
        close: () => {
            server.closeAllConnections();
            return new Promise((done) => server.close(done));
        },
    };
}
