// Prometheus of our own (Debian's), in a temporary folder, and its tool.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free_port.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs promtool; gives `{ status, output }`. */
export function promtool(words, { input, cwd } = {}) {
    const { status, stdout, stderr, error } = spawnSync('promtool', words, { input, cwd, encoding: 'utf8' });
    if (error) throw error;
    return { status, output: stdout + stderr };
}

export class Prometheus {
    /** @param {{ config: (folder: string) => string, files?: Record<string, string> }} wanted files beside the configuration */
    static async start({ config, files = {} }) {
        const prometheus = new Prometheus();
        prometheus.folder = mkdtempSync(join(tmpdir(), 'vc-prometheus-'));
        for (const [name, text] of Object.entries(files)) writeFileSync(join(prometheus.folder, name), text);
        writeFileSync(join(prometheus.folder, 'prometheus.yml'), config(prometheus.folder));
        const port = await freePort();
        prometheus.url = `http://127.0.0.1:${port}`;
        prometheus.log = '';
        const words = [
            `--config.file=${join(prometheus.folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(prometheus.folder, 'data')}`,
            `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn',
        ];
        prometheus.process = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'prometheus', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
        for (const stream of [prometheus.process.stdout, prometheus.process.stderr]) {
            stream.setEncoding('utf8').on('data', (text) => (prometheus.log = (prometheus.log + text).slice(-100_000)));
        }
        prometheus.ended = new Promise((resolve) => prometheus.process.once('close', resolve));
        const deadline = Date.now() + 60_000;
        for (;;) {
            const ready = await fetch(`${prometheus.url}/-/ready`).then((answer) => answer.ok, () => false);
            if (ready) return prometheus;
            if (prometheus.process.exitCode !== null || Date.now() > deadline) {
                await prometheus.stop();
                throw new Error(`Prometheus did not start:\n${prometheus.log}`);
            }
            await pause(100);
        }
    }

    async ask(path) {
        const answer = await (await fetch(`${this.url}/api/v1/${path}`)).json();
        if (answer.status !== 'success') throw new Error(JSON.stringify(answer));
        return answer.data;
    }

    /** The values of an expression now. */
    async query(expression) {
        return (await this.ask(`query?query=${encodeURIComponent(expression)}`)).result;
    }

    /** Names of the alerts that fire. */
    async firing() {
        const { alerts } = await this.ask('alerts');
        return alerts.filter((each) => each.state === 'firing').map((each) => each.labels.alertname);
    }

    async stop() {
        this.process.kill('SIGTERM');
        await this.ended;
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
}
