// The program with a certificate of its own, which only those believe who were told to.
import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../lib/certificates.js';
import { Service } from './service.mjs';

/** One request; `{ status, text }`. */
function ask(url, ca, { method = 'GET', headers = {}, body = '' } = {}) {
    return new Promise((done, failed) => {
        const request = https.request(url, { method, ca, headers: { ...headers, 'Content-Length': Buffer.byteLength(body) }, agent: false }, (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (part) => {
                text += part;
            });
            answer.on('end', () => done({ status: answer.statusCode, text }));
            answer.on('error', failed);
        });
        request.on('error', failed);
        request.end(body);
    });
}

export class SecureService extends Service {
    static async create(env = {}) {
        const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
        const pair = makeCertificate(folder, 'service');
        const ready = (server) => ask(`https://127.0.0.1:${server.port}/health/ready`, pair.pem).then(({ status }) => status === 200, () => false);
        const plain = await Service.create({ TLS_CERT_FILE: pair.certificate, TLS_KEY_FILE: pair.key, ...env }, { ready });
        const service = Object.assign(new SecureService(), { server: plain.server, folder, pair });
        service.server.url = `https://127.0.0.1:${service.port}`;
        return service;
    }

    async call(method, path, token, body) {
        const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
        const words = { method, headers, body: body === undefined ? '' : JSON.stringify(body) };
        const { status, text } = await ask(`${this.url}/api/video${path}`, this.pair.pem, words);
        if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
        return JSON.parse(text);
    }

    async dispose() {
        await super.dispose();
        rmSync(this.folder, { recursive: true, force: true });
    }
}
