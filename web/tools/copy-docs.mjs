// Puts the pages of the API documentation (Swagger UI, ReDoc) beside the built page, so that the program can serve them itself.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const folder = (name) => dirname(require.resolve(`${name}/package.json`));
const out = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'docs');
mkdirSync(out, { recursive: true });

for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']) {
    copyFileSync(join(folder('swagger-ui-dist'), name), join(out, name));
}

// ReDoc shows its maker's logo from a foreign host; our pages ask no host but their own.
const logo = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const empty = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
const redoc = readFileSync(join(folder('redoc'), 'bundles', 'redoc.standalone.js'), 'utf8');
if (!redoc.includes(logo)) throw new Error('ReDoc no longer loads its logo from where it did: look at what it asks for now');
writeFileSync(join(out, 'redoc.standalone.js'), redoc.replaceAll(logo, empty));
