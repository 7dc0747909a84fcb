// The service under the system call filter of its own systemd unit: everything works, and what it never needs is refused.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programPath, Server } from '../lib/server.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const unit = join(root, 'deploy', 'systemd', 'video-consultation.service');
const sandboxed = join(here, 'lib', 'sandboxed.py');

function forbidden(...before) {
    const [program, ...words] = [...before, '/usr/bin/python3', '-B', join(here, 'lib', 'forbidden.py')];
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
}

describe('the system call filter of the unit', () => {
    let folder;
    let program;
    before(() => {
        // Tests take the program's path from VIDEO_CONSULTATION, and start it with variables of their own.
        folder = mkdtempSync(join(tmpdir(), 'vc-seccomp-'));
        program = join(folder, 'video-consultation');
        writeFileSync(program, `#!/bin/sh\nexec /usr/bin/python3 -B '${sandboxed}' '${unit}' '${programPath}' "$@"\n`, { mode: 0o755 });
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    test('what the service never does is refused', () => {
        const { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, ...others } = forbidden('/usr/bin/python3', '-B', sandboxed, unit);
        assert.deepEqual([AF_INET, AF_INET6, AF_UNIX, AF_NETLINK], ['done', 'done', 'done', 'done']);
        assert.ok(Object.keys(others).length >= 20);
        for (const [what, result] of Object.entries(others)) assert.equal(result, what.startsWith('AF_') ? 'EAFNOSUPPORT' : 'EPERM', what);
    });

    test('without it some of that would be done, so that it is the filter that refuses', () => {
        assert.equal(forbidden()['writable and executable'], 'done');
    });

    test('the service runs under it, with nothing to gain', async () => {
        const server = await Server.start({ within: ['/usr/bin/python3', '-B', sandboxed, unit] });
        try {
            const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8');
            assert.match(status, /^Name:\s+video-consultat/m);
            assert.match(status, /^Seccomp:\s+2$/m);
            assert.match(status, /^NoNewPrivs:\s+1$/m);
            assert.match(status, /^CapBnd:\s+0+$/m);
        } finally {
            assert.deepEqual(await server.stop(), { code: 0, signal: null });
        }
    });

    for (const [what, file] of [
        ['a visit from booking to the audit trail, on both stores', 'tests/api/end_to_end.test.mjs'],
        ['calls with sound and pictures', 'tests/platform/media_bench.test.mjs'],
        ['a certificate of its own, proxies, several addresses', 'tests/api/network.test.mjs'],
    ]) {
        test(`${what}: ${file} passes under it`, { timeout: 300_000 }, () => {
            const env = {
                ...process.env,
                VIDEO_CONSULTATION: program,
                BENCH_MEDIA: process.env.BENCH_MEDIA ?? join(dirname(programPath), 'bench', 'media', 'bench_media'),
            };
            delete env.NODE_TEST_CONTEXT;
            const { status, stdout } = spawnSync('node', ['--test', '--test-reporter=tap', file], { cwd: root, env, encoding: 'utf8', maxBuffer: 1 << 26 });
            assert.equal(status, 0, stdout.slice(-20_000));
            assert.ok(Number(/^# pass (\d+)$/m.exec(stdout)[1]) > 0);
        });
    }
});
