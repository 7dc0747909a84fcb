// The image of deploy/Dockerfile, built by build.py, run as a container would be. In a network of its own, so that the ports are
// those that it has everywhere.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '../../lib/client.js';
import { mint } from '../../lib/tokens.js';
import { eventually, sessions, soon } from '../../lib/world.js';

const here = dirname(fileURLToPath(import.meta.url));
const file = process.env.IMAGE ?? join(here, '..', '..', '..', 'build', 'image', 'image.json');
const { config } = JSON.parse(readFileSync(file, 'utf8'));
const container = join(here, 'container.py');
const secret = 'a secret for tests only, long enough for HS256';
const url = 'http://127.0.0.1:8086';

/** The service as a container: `folder`/data is its volume. */
class Container {
    static async start(folder, env = {}) {
        const running = new Container();
        running.env = { JWT_SECRET_KEY: secret, AWS_EC2_METADATA_DISABLED: 'true', ...env };
        running.log = '';
        running.process = spawn('python3', ['-B', container, 'run', file], {
            cwd: folder,
            env: { PATH: process.env.PATH, ...running.env },
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        running.ended = new Promise((resolve) => running.process.once('close', (code) => resolve(code)));
        for (const stream of [running.process.stdout, running.process.stderr]) stream.on('data', (text) => (running.log += text));
        await eventually(
            () => running.process.exitCode === null && fetch(`${url}/health/ready`).then((answer) => answer.ok, () => false),
            () => `readiness\n${running.log}`,
            30_000,
        );
        return running;
    }

    /** The service itself, as this machine numbers it. */
    get pid() {
        const { pid } = this.process;
        return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
    }

    /** Its root, as it sees it. */
    path(inside) {
        return `/proc/${this.pid}/root${inside}`;
    }

    facts() {
        const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
        return Object.fromEntries([...text.matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name, value]) => [name, value]));
    }

    /** The image's own health check, run where a container engine runs it. */
    health() {
        const [uid, gid] = config.User.split(':');
        const inside = ['--target', String(this.pid), '--mount', '--pid', '--root', '--wd', '--setuid', uid, '--setgid', gid, '--'];
        return spawnSync('nsenter', [...inside, ...config.Healthcheck.Test], { env: { ...config.Env, ...this.env }, encoding: 'utf8', timeout: 10_000 });
    }

    async stop() {
        if (this.process.exitCode === null) this.process.kill('SIGTERM');
        return await this.ended;
    }
}

describe('what the image says about itself', () => {
    test('user, ports, volume, stop signal and health check are the contract\'s', () => {
        assert.equal(config.User, '1000:1000');
        assert.deepEqual(config.ExposedPorts, ['8086/tcp', '8087/udp', '8087/tcp']);
        assert.deepEqual(config.Volumes, ['/data']);
        assert.equal(config.StopSignal, 'SIGTERM');
        const { Test, ...times } = config.Healthcheck;
        assert.deepEqual(times, { interval: '30s', timeout: '10s', 'start-period': '5s', retries: '3' });
        for (const [program] of [Test, config.Entrypoint]) assert.equal(program, '/usr/bin/video-consultation');
    });
});

describe('what is in it', () => {
    let found;
    before(() => {
        const listed = spawnSync('python3', ['-B', container, 'files', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
        assert.equal(listed.status, 0, listed.stderr);
        found = listed.stdout
            .trimEnd()
            .split('\n')
            .map((line) => /^(\S+) (\S+) (\d+) (.*)$/.exec(line).slice(1))
            .map(([mode, owner, bytes, path]) => ({ mode, owner, bytes: Number(bytes), path }));
    });

    test('no compiler, no package manager of the page, no interpreter but Debian\'s own, no source', () => {
        const unwanted = [
            /\/(clang|lld|llvm)[^/]*$/,
            /\/bin\/(gcc|g\+\+|cc|c\+\+|cpp|ld|as|make|cmake|ninja|ccache|node|nodejs|npm|npx|python[\d.]*|git|curl|wget)$/,
            /\/node_modules(\/|$)/,
            /\.(cpp|cc|hpp|h|ts|tsx|o|a|proto)$/,
            /^\/(src|root\/\.\w+\/.*|work)$/,
        ];
        const bad = found.filter(({ path }) => unwanted.some((pattern) => pattern.test(path))).map(({ path }) => path);
        assert.deepEqual(bad, []);
    });

    test('nothing in it gains rights, and nothing outside the volume belongs to its user', () => {
        assert.deepEqual(found.filter(({ mode }) => /^-..[sS]|^-.....[sS]/.test(mode)).map(({ path }) => path), []);
        assert.deepEqual(found.filter(({ owner }) => owner.split(':').includes('1000')).map(({ path }) => path), ['/data']);
        const writable = found.filter(({ mode }) => mode[8] === 'w' && !mode.startsWith('l')).map(({ path, mode }) => `${mode} ${path}`);
        assert.ok(writable.every((line) => /^d.*t /.test(line)), writable.join('\n'));
    });

    test('nothing of the machine that built it', () => {
        const empty = found.filter(({ path }) => path === '/etc/resolv.conf' || path === '/etc/hostname');
        assert.ok(empty.every(({ bytes }) => bytes === 0));
        assert.deepEqual(found.filter(({ path }) => /machine-certificates|\/var\/lib\/apt\/lists\/.+|\/var\/log\/.+\.log$/.test(path)).map(({ path }) => path), []);
    });

    test('it is small', (t) => {
        t.diagnostic(`${Math.round(config.Size / 1e6)} MB`);
        assert.ok(config.Size < 220e6, `${config.Size} bytes`);
    });
});

describe('the service in it', () => {
    let folder;
    let running;
    const doctor = mint('DOCTOR', '12', secret);
    const patient = mint('PATIENT', '34', secret);
    before(async () => {
        folder = mkdtempSync(join(tmpdir(), 'vc-image-'));
        running = await Container.start(folder);
    });
    after(async () => {
        await running?.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    test('runs as user 1000, without capabilities, without a way to gain any', () => {
        const facts = running.facts();
        assert.deepEqual(facts.Uid.split(/\s+/), ['1000', '1000', '1000', '1000']);
        assert.deepEqual(facts.Gid.split(/\s+/), ['1000', '1000', '1000', '1000']);
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.equal(BigInt(`0x${facts[set]}`), 0n, set);
        assert.equal(facts.NoNewPrivs, '1');
    });

    test('the health check says that it is well', () => {
        const { status, stderr } = running.health();
        assert.equal(status, 0, stderr);
    });

    test('a visit is booked, joined by both, and there again after a restart', async () => {
        const client = await Client.connect(url);
        const booked = await client.post(sessions, patient, { booking_type: 'DIRECT_DOCTOR', doctor_id: '12', patient_id: '34', scheduled_start_time: soon });
        assert.equal(booked.status, 201, booked.text);
        const path = `${sessions}/${booked.body.session_id}`;
        assert.equal((await client.post(`${path}/join`, patient, {})).status, 200);
        assert.equal((await client.post(`${path}/join`, doctor, {})).status, 200);
        assert.equal((await client.get(path, doctor)).body.status, 'ACTIVE');
        client.close();

        assert.equal(await running.stop(), 0, running.log);
        running = await Container.start(folder);
        const again = await Client.connect(url);
        assert.equal((await again.get(path, doctor)).body.session_id, booked.body.session_id);
        for (const page of ['/docs', '/redoc', `/room/${booked.body.session_id}`]) assert.equal((await fetch(url + page)).status, 200, page);
        again.close();
    });

    test('the SBOM in it names the versions that are in it', () => {
        const bom = JSON.parse(readFileSync(running.path('/usr/share/doc/video-consultation/sbom.cdx.json'), 'utf8'));
        const status = readFileSync(running.path('/var/lib/dpkg/status'), 'utf8');
        const installed = Object.fromEntries([...status.matchAll(/^Package: (\S+)\n(?:.+\n)*?Version: (\S+)$/gm)].map(([, name, version]) => [name, version]));
        const parts = bom.components.filter(({ properties }) => properties.some(({ value }) => value === 'linked' || value === 'data'));
        assert.ok(parts.length > 30);
        for (const { name, version } of parts) assert.equal(installed[name], version, name);
    });

    test('zones and certificate roots are there', () => {
        assert.ok(existsSync(running.path('/usr/share/zoneinfo/Asia/Colombo')));
        assert.ok(statSync(running.path('/etc/ssl/certs/ca-certificates.crt')).size > 100_000);
    });

    test('it wrote into its volume and nowhere else', () => {
        const names = readdirSync(join(folder, 'data'));
        assert.ok(names.some((name) => name.endsWith('.sqlite') || name.endsWith('.db')), names.join(' '));
        assert.deepEqual(readdirSync(running.path('/tmp')), []);
        const mounts = readFileSync(`/proc/${running.pid}/mounts`, 'utf8').split('\n');
        assert.match(mounts.find((line) => line.split(' ')[1] === '/'), / overlay ro,/);
        assert.doesNotMatch(running.log, /read-only|Read-only|EROFS/);
    });

    test('it fits into 512 MB', (t) => {
        const kilobytes = Number.parseInt(running.facts().VmHWM, 10);
        t.diagnostic(`resident at most ${Math.round(kilobytes / 1024)} MB`);
        assert.ok(kilobytes < 512 * 1024);
    });

    test('the health check says when it is not well', async () => {
        const standing = running.health();
        assert.equal(standing.status, 0, standing.stderr);
        running.env.PORT = '8099';
        const { status, stderr } = running.health();
        assert.equal(status, 1);
        assert.match(stderr, /^video-consultation: health: http:\/\/127\.0\.0\.1:8099\/health\/ready: /);
    });
});
