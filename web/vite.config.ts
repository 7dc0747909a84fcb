import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
    // The document is served at <prefix>/room/<id> and its assets at <prefix>/assets/<name>, whatever the prefix is.
    experimental: {
        renderBuiltUrl: (name, { hostType }) => (hostType === 'html' ? `../${name}` : { relative: true }),
    },
    resolve: {
        // The client library's entry also loads a chat client for AWS, which a consultation has no use for.
        alias: { '@aws-sdk/client-chime-sdk-messaging': here('src/empty.ts') },
    },
    build: {
        target: 'es2020',
        modulePreload: false,
        assetsInlineLimit: 0,
        chunkSizeWarningLimit: 1300,
        rollupOptions: { output: { manualChunks: (id) => (id.includes('node_modules') ? 'chime' : undefined) } },
    },
});
