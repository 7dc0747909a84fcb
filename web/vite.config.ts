import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Writes down whose code is in the page, for the list of what the program consists of (tools/sbom). */
const packagesInThePage: Plugin = {
    name: 'packages-in-the-page',
    generateBundle(_options, bundle) {
        const folders = new Set<string>();
        for (const chunk of Object.values(bundle)) {
            if (chunk.type !== 'chunk') continue;
            for (const [id, { renderedLength }] of Object.entries(chunk.modules)) {
                const folder = /(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
                if (folder && renderedLength > 0) folders.add(folder);
            }
        }
        writeFileSync(here('node_modules/.in-the-page'), [...folders].sort().join('\n') + '\n');
    },
};

export default defineConfig({
    plugins: [packagesInThePage],
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
