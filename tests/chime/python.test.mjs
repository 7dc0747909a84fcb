// Every operation by Debian's boto3.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Server } from '../lib/server.js';
import { key, keys, secret } from './lib.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'sdk_for_python.py');

test('boto3 runs every operation, and is refused as by AWS', async () => {
    const server = await Server.start({ env: keys });
    try {
        const { stdout } = await promisify(execFile)(process.env.DEBIAN_PYTHON ?? '/usr/bin/python3', ['-B', script, `${server.url}/chime`, key, secret]);
        assert.equal(stdout, 'every operation did what it should\n');
    } finally {
        await server.stop();
    }
});
