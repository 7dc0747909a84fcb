// Debian's nginx with the example configuration, as it stands: only ports, files and the service's addresses are put in.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from '../../lib/certificates.js';
import { freePort } from '../../lib/free_port.js';
import { eventually } from '../../lib/world.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const example = readFileSync(join(root, 'deploy', 'nginx', 'video-consultation.conf'), 'utf8');
const program = '/usr/sbin/nginx';

/** Each text must be there: a changed example is not to go by untested. */
function substitute(text, pairs) {
    for (const [old, fresh] of pairs) {
        assert.ok(text.includes(old), `the example has no ${old}`);
        text = text.replaceAll(old, fresh);
    }
    return text;
}

export class Nginx {
    /** @param {string[]} upstreams `127.0.0.1:8086` */
    static async start(upstreams) {
        const nginx = new Nginx();
        nginx.folder = mkdtempSync(join(tmpdir(), 'vc-nginx-'));
        nginx.certificate = makeCertificate(nginx.folder, 'proxy');
        nginx.plainPort = await freePort();
        nginx.port = await freePort();
        const file = (name) => join(nginx.folder, name);
        const servers = upstreams.map((each) => `server ${each};`).join('\n    ');
        const site = substitute(example, [
            ['listen 80;', `listen 127.0.0.1:${nginx.plainPort};`],
            ['listen [::]:80;', ''],
            ['listen 443 ssl http2;', `listen 127.0.0.1:${nginx.port} ssl http2;`],
            ['listen [::]:443 ssl http2;', ''],
            ['/etc/nginx/tls/fullchain.pem', nginx.certificate.certificate],
            ['/etc/nginx/tls/privkey.pem', nginx.certificate.key],
            ['/var/log/nginx/access.log', file('access.log')],
            ['server video-consultation-service:8086;', servers],
        ]);
        mkdirSync(file('temporary'));
        const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${file('temporary')};`);
        const user = process.getuid() === 0 ? 'user root;\n' : '';
        writeFileSync(file('site.conf'), site);
        writeFileSync(
            file('nginx.conf'),
            `${user}daemon off;\npid ${file('pid')};\nerror_log ${file('error.log')} warn;\nevents {}\nhttp {\n${temporary.join('\n')}\ninclude ${file('site.conf')};\n}\n`,
        );
        return nginx;
    }

    get words() {
        return ['-p', this.folder, '-e', join(this.folder, 'error.log'), '-c', join(this.folder, 'nginx.conf')];
    }

    /** What `nginx -t` says. */
    check() {
        const { status, stderr } = spawnSync(program, ['-t', ...this.words], { encoding: 'utf8' });
        return { status, text: stderr };
    }

    async boot() {
        this.process = spawn(program, this.words, { stdio: ['ignore', 'ignore', 'pipe'] });
        const child = this.process;
        const end = () => child.kill('SIGTERM');
        process.once('exit', end);
        this.ended = new Promise((resolve) =>
            child.once('close', () => {
                process.off('exit', end);
                resolve();
            }),
        );
        await eventually(
            () => fetch(`http://127.0.0.1:${this.plainPort}/`, { redirect: 'manual' }).then((answer) => answer.status === 308, () => false),
            () => `nginx answers\n${this.errors}`,
        );
        return this;
    }

    get errors() {
        return readFileSync(join(this.folder, 'error.log'), 'utf8');
    }

    async stop() {
        if (this.process && this.process.exitCode === null) {
            this.process.kill('SIGTERM');
            await this.ended;
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}
