// Everything else in deploy/: read as those read it who use it, and checked for what matters.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import Ajv from 'ajv/dist/2019.js';
import formats from 'ajv-formats';
import { programPath } from '../lib/server.js';
import { path, root, seconds, text, version, yaml } from './lib/files.js';

const run = (program, words, options) => spawnSync(program, words, { encoding: 'utf8', ...options });
/** A stop that takes no meetings into account. */
const kStopSeconds = 30;

function parsed(dockerfile, ...ignored) {
    const { status, stdout, stderr } = run('python3', ['-B', join(root, 'tests/deploy/image/parse.py'), ...ignored], { input: dockerfile });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
}

describe('Dockerfile', () => {
    const { stages } = parsed(text('Dockerfile'));
    const last = stages.at(-1);
    const step = (name) => last.steps.filter((each) => each.name === name).at(-1);

    test('has a stage that builds and one that runs, both from the same Debian', () => {
        assert.deepEqual(stages.map(({ name, base }) => [name, base]), [['base', 'debian:12-slim'], ['build', 'base'], [null, 'base']]);
        assert.ok(stages[1].steps.some(({ command }) => command?.includes('tools/build release video-consultation')));
        for (const { options } of last.steps.filter(({ name }) => name === 'COPY')) assert.deepEqual(options, [['from', 'build']]);
    });

    test('runs as user 1000, is asked about its health without a shell, and stops in order', () => {
        assert.deepEqual(step('USER').words, ['1000:1000']);
        assert.ok(last.steps.indexOf(step('USER')) > last.steps.indexOf(step('RUN')));
        assert.deepEqual(Object.fromEntries(step('HEALTHCHECK').options), { interval: '30s', timeout: '10s', 'start-period': '5s', retries: '3' });
        assert.deepEqual(step('HEALTHCHECK').words, ['/usr/bin/video-consultation', 'health']);
        assert.deepEqual(step('ENTRYPOINT').words, ['/usr/bin/video-consultation']);
        assert.deepEqual(step('EXPOSE').words, ['8086/tcp', '8087/udp', '8087/tcp']);
        assert.deepEqual(step('STOPSIGNAL').words, ['SIGTERM']);
    });

    test('installs nothing that is only recommended, leaves no lists behind, names no secret', () => {
        for (const { command } of [...stages[0].steps, ...last.steps].filter(({ name }) => name === 'RUN')) {
            for (const install of command.match(/apt-get (install|upgrade)[^&]*/g)) assert.match(install, /--no-install-recommends/);
            assert.match(command, /rm -rf \/var\/lib\/apt\/lists/);
        }
        for (const { words } of last.steps.filter(({ name }) => name === 'ENV')) assert.deepEqual(words, [['DATA_DIR', '/data']]);
    });

    test('installs the libraries that the program is linked with, no more and no fewer', () => {
        const { stdout } = run('readelf', ['--dynamic', programPath]);
        const libraries = [...stdout.matchAll(/NEEDED.*\[(.+)\]/g)].map(([, name]) => name);
        assert.ok(libraries.length > 10);
        const owners = run('dpkg-query', ['--search', ...libraries.map((name) => `*-linux-gnu/${name}`)]).stdout;
        const packages = new Set([...owners.matchAll(/^([^:\s]+)[:\s].*\/(\S+)$/gm)].filter(([, , name]) => libraries.includes(name)).map(([, name]) => name));
        // What every Debian has, or what two of the others need as well.
        for (const name of ['libc6', 'libgcc-s1', 'libstdc++6']) packages.delete(name);
        const installed = /install -y[^&]*?--no-install-recommends([^&>]*)/.exec(step('RUN').command)[1].trim().split(/\s+/);
        assert.deepEqual(installed.sort(), [...packages, 'ca-certificates', 'tzdata'].sort());
    });

    test('sees sources only: no history, data, secrets or results', () => {
        const out = ['.git/config', 'build/release/x', 'data/sessions.sqlite', '.env', 'deploy/compose/secrets/jwt_secret', 'web/node_modules/x/index.js', 'web/dist/index.html', 'tests/lib/world.js', 'tools/__pycache__/x.pyc'];
        const kept = ['VERSION', 'CMakeLists.txt', 'src/app/program/main.cpp', 'web/src/main.ts', 'tools/build', 'cmake/Room.cmake'];
        assert.deepEqual(parsed(text('Dockerfile'), path('Dockerfile.dockerignore'), ...out, ...kept).left_out, out);
    });

    test('the interpreter of the image test refuses what it does not know', () => {
        for (const [file, why] of [
            ['FROM a\nADD x /y', /line 2: instruction ADD is not known/],
            ['FROM a\nONBUILD RUN x', /instruction ONBUILD is not known/],
            ['RUN x', /RUN before FROM/],
            ['FROM a\nCOPY --link x y', /option --link is not known/],
            ['FROM a\nENTRYPOINT run', /JSON list/],
            ['FROM a\nCOPY $X y', /variables in COPY/],
            ['FROM a\nRUN x \\', /in the middle/],
            ['FROM --platform=x a', /FROM: expected/],
            ['FROM a\nHEALTHCHECK NONE', /expected CMD/],
            ['', /no FROM/],
        ]) {
            assert.match(parsed(file).error, why, file);
        }
    });
});

describe('compose.yaml', () => {
    const [compose] = yaml('compose', 'compose.yaml');
    const { services } = compose;
    const service = services['video-consultation-service'];

    test('is what the Compose specification describes', () => {
        const linter = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
        const published = readFileSync(join(linter, 'schemas', 'compose.schema.json'), 'utf8');
        // Left out: an address of the draft that is not the draft's own, and names that parts had in an older draft.
        const schema = JSON.parse(published, (name, value) => ((name === '$schema' || name === 'id') && typeof value === 'string' ? undefined : value));
        const ajv = new Ajv({ strict: false, allErrors: true });
        formats(ajv);
        ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/);
        const validate = ajv.compile(schema);
        assert.ok(validate(compose), ajv.errorsText(validate.errors));
        assert.equal(validate({ ...compose, services: { x: { imagee: 'y' } } }), false);
    });

    test('keeps the contract: names, port, memory, what it waits for', () => {
        assert.equal(service.hostname, 'video-consultation-service');
        assert.equal(compose.networks['pulseone-network'].name, 'pulseone-network');
        assert.deepEqual(service.networks, ['pulseone-network']);
        assert.equal(service.deploy.resources.limits.memory, '512M');
        assert.ok(service.ports.some((port) => port.endsWith('8086:8086')));
        assert.deepEqual(service.depends_on, { 'video-postgres-db': { condition: 'service_healthy' }, rabbitmq: { condition: 'service_healthy' } });
        assert.equal(service.restart, 'on-failure');
        assert.match(services['video-postgres-db'].image, /^postgres:15/);
        assert.match(services.rabbitmq.image, /^rabbitmq:3\.13/);
        assert.equal(service.image, `video-consultation:${version}`);
    });

    test('the service is read-only, has no rights, and the time to drain', () => {
        assert.equal(service.read_only, true);
        assert.equal(service.user, '1000:1000');
        assert.deepEqual(service.cap_drop, ['ALL']);
        assert.deepEqual(service.security_opt, ['no-new-privileges:true']);
        assert.ok(seconds(service.stop_grace_period) >= Number(service.environment.DRAIN_SECONDS) + kStopSeconds);
        assert.ok(service.ulimits.nofile >= 65536);
        assert.ok(existsSync(join(path('compose'), service.build.context, service.build.dockerfile)));
    });

    test('every secret is a file, every file of ours is there, every address fits', () => {
        const used = Object.values(services).flatMap(({ secrets = [] }) => secrets.map((secret) => secret.source ?? secret));
        assert.deepEqual([...new Set(used)].sort(), Object.keys(compose.secrets).sort());
        for (const [name, value] of Object.entries(service.environment)) {
            if (/_FILE$/.test(name)) assert.ok(service.secrets.includes(value.replace('/run/secrets/', '')), name);
            assert.doesNotMatch(name, /(PASSWORD|SECRET|SECRET_KEY|DATABASE_URL|TOKEN)$/);
        }
        assert.equal(service.environment.TRUSTED_PROXIES, services['reverse-proxy'].networks['pulseone-network'].ipv4_address);
        for (const { volumes = [] } of Object.values(services)) {
            for (const volume of volumes.filter((each) => each.startsWith('../'))) assert.ok(existsSync(join(path('compose'), volume.split(':')[0])), volume);
        }
        assert.match(text('nginx', 'video-consultation.conf'), /server video-consultation-service:8086;/);
    });

    test('make-secrets makes all of them, and never over one that is there', () => {
        const folder = mkdtempSync(join(tmpdir(), 'vc-compose-'));
        try {
            copyFileSync(path('compose', 'make-secrets'), join(folder, 'make-secrets'));
            const make = () => run(join(folder, 'make-secrets'), ['video.example.org', '203.0.113.7']);
            assert.equal(make().status, 0);
            const read = () => Object.values(compose.secrets).map(({ file }) => readFileSync(join(folder, file), 'utf8'));
            const first = read();
            assert.ok(first.every((each) => each.trim().length > 20));
            assert.equal(make().status, 0);
            assert.deepEqual(read(), first);
            assert.equal(run(join(folder, 'make-secrets'), []).status, 2);
        } finally {
            rmSync(folder, { recursive: true, force: true });
        }
    });
});

describe('kong.yaml', () => {
    test('passes /video on without the prefix, with time for calls, repeating nothing', () => {
        const [kong] = yaml('kong', 'kong.yaml');
        assert.equal(kong._format_version, '3.0');
        const [service] = kong.services;
        assert.equal(service.url, 'http://video-consultation-service:8086');
        assert.equal(service.retries, 0);
        assert.ok(service.read_timeout >= 3600_000 && service.write_timeout >= 3600_000);
        const [route] = service.routes;
        assert.deepEqual([route.paths, route.strip_path, route.preserve_host, route.response_buffering], [['/video'], true, true, false]);
        assert.ok(service.plugins[0].config.remove.headers.includes('X-User-ID'));
    });
});

describe('prometheus.yml', () => {
    test('promtool takes it', () => {
        const { status, stdout, stderr } = run('promtool', ['check', 'config', path('prometheus', 'prometheus.yml')]);
        assert.equal(status, 0, stdout + stderr);
        assert.match(stdout, /SUCCESS/);
    });
});

describe('the systemd unit', () => {
    const file = path('systemd', 'video-consultation.service');
    const unit = text('systemd', 'video-consultation.service');
    let folder;
    before(() => (folder = mkdtempSync(join(tmpdir(), 'vc-unit-'))));
    after(() => rmSync(folder, { recursive: true, force: true }));

    test('systemd has nothing to complain about', () => {
        // The program is where it was built, not yet where it will be installed.
        const copy = join(folder, 'video-consultation.service');
        writeFileSync(copy, unit.replaceAll('/usr/bin/video-consultation', programPath));
        const { status, stderr } = run('systemd-analyze', ['verify', '--man=no', copy]);
        const ours = stderr.split('\n').filter((line) => line.includes('video-consultation.service'));
        assert.deepEqual(ours, []);
        assert.equal(status, 0, stderr);
    });

    test('systemd says that it is little exposed', (t) => {
        const { status, stdout } = run('systemd-analyze', ['security', '--no-pager', '--offline=true', '--threshold=15', file]);
        t.diagnostic(/Overall exposure level.*: ([\d.]+)/.exec(stdout)[1]);
        assert.equal(status, 0, stdout);
    });

    test('gives it the time to drain', () => {
        const drain = Number(/DRAIN_SECONDS=(\d+)/.exec(unit)[1]);
        assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)[1]) >= drain + kStopSeconds);
    });
});

describe('settings', () => {
    const help = run(programPath, ['--help']).stdout;
    const [compose] = yaml('compose', 'compose.yaml');
    const [configuration] = yaml('kubernetes', 'configmap.yaml');
    const [set] = yaml('kubernetes', 'statefulset.yaml');
    const unit = text('systemd', 'video-consultation.service');
    const sources = {
        compose: compose.services['video-consultation-service'].environment,
        kubernetes: { ...configuration.data, ...Object.fromEntries(set.spec.template.spec.containers[0].env.map(({ name, value }) => [name, value])) },
        systemd: Object.fromEntries([...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, words]) => words.split(' ').map((word) => word.split('=')))),
    };
    /** Those of Kubernetes that only make others. */
    const helpers = ['POD_NAME', 'MACHINE_ADDRESS'];
    const secrets = { DATABASE_URL: 'postgresql://video:password@db:5432/videodb', ENCRYPTION_KEY: `first:${Buffer.alloc(32, 7).toString('base64')}` };
    let folder;
    before(() => {
        folder = mkdtempSync(join(tmpdir(), 'vc-settings-'));
        mkdirSync(join(folder, 'secrets'));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    for (const [name, settings] of Object.entries(sources)) {
        test(`${name}: the service knows each of them, and takes them all together`, () => {
            const env = { PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: 'true' };
            for (const [variable, value] of Object.entries(settings)) {
                if (helpers.includes(variable)) continue;
                const plain = variable.replace(/_FILE$/, '');
                assert.ok(new RegExp(`\\b(${variable}|${plain}\\[_FILE\\])(?!\\w)`).test(help), `--help does not know ${variable}`);
                env[variable] = value
                    .replaceAll('$(POD_NAME)', 'video-consultation-0')
                    .replaceAll('$(MACHINE_ADDRESS)', '203.0.113.7')
                    .replaceAll(/\$\{PUBLIC_NAME[^}]*\}/g, 'video.example.org')
                    .replaceAll(/\$\{PUBLIC_ADDRESS[^}]*\}/g, '203.0.113.7');
                if (!variable.endsWith('_FILE')) continue;
                env[variable] = join(folder, 'secrets', plain);
                writeFileSync(env[variable], `${secrets[plain] ?? 'a secret for tests only, long enough'}\n`);
            }
            const { status, stdout, stderr } = run(programPath, ['--check-config'], { env, cwd: folder });
            assert.equal(status, 0, stdout + stderr);
        });
    }
});

describe('the version', () => {
    test('is the one in VERSION everywhere', () => {
        assert.equal(run(programPath, ['--version']).stdout, `video-consultation ${version}\n`);
        const { version: web } = JSON.parse(readFileSync(join(root, 'web', 'package.json'), 'utf8'));
        assert.equal(web, version);
        assert.match(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), new RegExp(`^## .*${version.replaceAll('.', '\\.')}`, 'm'));
    });
});
