// docs/configuration.md tells of every setting that the program knows, with its default, and of no other.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { programPath } from '../lib/server.js';

test('the page of settings and the program say the same', () => {
    const printed = execFileSync(programPath, ['--print-config'], { encoding: 'utf8', cwd: '/', env: {} });
    const known = new Map([...printed.matchAll(/^# ([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
    assert.ok(known.size > 100);
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const documented = new Map([...page.matchAll(/^\| `([A-Z0-9_]+)`(?: \(`…_FILE`\))? \| (?:`([^`]*)`)? ?\|/gm)].map(([, name, value]) => [name, value ?? '']));
    assert.deepEqual([...known.keys()].filter((name) => !documented.has(name)), [], 'not documented');
    assert.deepEqual([...documented.keys()].filter((name) => !known.has(name)), [], 'documented and unknown');
    for (const [name, value] of known) assert.equal(documented.get(name), value, name);
});
