// The list of what the program consists of: by CycloneDX's own schema, and against the program and the page themselves.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import Ajv from 'ajv';
import formats from 'ajv-formats';
import { programPath } from '../lib/server.js';
import { root, version } from './lib/files.js';

const tool = join(root, 'tools', 'sbom');
const make = (env = {}) => {
    const { status, stdout, stderr } = spawnSync(tool, [programPath], { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, ...env } });
    assert.equal(status, 0, stderr);
    return stdout;
};

describe('the SBOM', () => {
    let text;
    let bom;
    before(() => {
        text = make();
        bom = JSON.parse(text);
    });
    const part = (name) => bom.components.filter(({ properties }) => properties.some((each) => each.name === 'part' && each.value === name));
    const names = (components) => components.map(({ name }) => name).sort();

    test('is CycloneDX 1.6', () => {
        const library = dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json'));
        const schema = (name) => JSON.parse(readFileSync(join(library, 'res', 'schema', `${name}.SNAPSHOT.schema.json`), 'utf8'));
        const ajv = new Ajv({ strict: false, allErrors: true });
        formats(ajv);
        ajv.addFormat('idn-email', true).addFormat('iri-reference', /^\S*$/);
        for (const name of ['spdx', 'jsf-0.82']) ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
        const validate = ajv.compile(schema('bom-1.6'));
        assert.ok(validate(bom), ajv.errorsText(validate.errors));
        assert.equal(validate({ ...bom, components: [{ name: 'x' }] }), false);
        assert.equal(bom.metadata.component.version, version);
    });

    test('names every library that is loaded, with the version that is installed, and no other', () => {
        const { stdout } = spawnSync('ldd', [programPath], { encoding: 'utf8' });
        const libraries = [...stdout.matchAll(/(\S+) => \/\S+|^\s+(\/\S+)/gm)].map(([, name, loader]) => (name ?? loader).split('/').pop());
        const owners = spawnSync('dpkg-query', ['--search', ...libraries.map((name) => `*-linux-gnu/${name}`)], { encoding: 'utf8' }).stdout;
        const found = [...owners.matchAll(/^([^:\s]+)(?::\w+)?: .*\/(\S+)$/gm)].map(([, name, file]) => ({ name, file })).filter(({ file }) => libraries.includes(file));
        const linked = part('linked');
        assert.deepEqual(names(linked), [...new Set(found.map(({ name }) => name))].sort());
        const { stdout: versions } = spawnSync('dpkg-query', ['--show', '--showformat=${Package} ${Version}\n', ...names(linked)], { encoding: 'utf8' });
        assert.deepEqual(linked.map(({ name, version: stated }) => `${name} ${stated}`).sort(), versions.trim().split('\n').sort());
    });

    test('names every npm package whose code is in the page', () => {
        const page = names(part('page'));
        for (const name of ['amazon-chime-sdk-js', 'protobufjs', 'redoc', 'swagger-ui-dist']) assert.ok(page.includes(name), name);
        const lock = JSON.parse(readFileSync(join(root, 'web', 'package-lock.json'), 'utf8')).packages;
        for (const { name, version: stated } of part('page')) {
            assert.ok(Object.entries(lock).some(([path, facts]) => path.endsWith(`node_modules/${name}`) && facts.version === stated), name);
        }
        // What only builds or tests the page is not in it.
        for (const name of ['vite', 'vitest', 'typescript', 'rollup']) assert.ok(!page.includes(name), name);
        const assets = join(root, 'web', 'dist', 'assets');
        assert.ok(existsSync(assets) && readdirSync(assets).length > 0);
    });

    test('gives everything a licence, a supplier or a checksum, and a name that others know it by', () => {
        const refs = new Set();
        for (const component of bom.components) {
            assert.ok(component.licenses.length > 0, component.name);
            assert.match(component.purl, /^pkg:(deb\/debian|npm)\/[^@]+@[^@]+$/);
            assert.ok(component.supplier || component.hashes?.[0].content.length === 128, component.name);
            assert.ok(!refs.has(component['bom-ref']), component['bom-ref']);
            refs.add(component['bom-ref']);
            assert.doesNotMatch(JSON.stringify(component.licenses), /unknown/);
        }
        assert.deepEqual(bom.dependencies[0].dependsOn, [...refs].sort());
    });

    test('is the same each time, whenever and wherever it is made', () => {
        assert.equal(make({ TZ: 'Asia/Colombo', LC_ALL: 'C.UTF-8' }), text);
        assert.equal(bom.metadata.timestamp, undefined);
        assert.equal(JSON.parse(make({ SOURCE_DATE_EPOCH: '1800000000' })).metadata.timestamp, '2027-01-15T08:00:00Z');
    });
});
