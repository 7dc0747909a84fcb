// Certificates (ECDSA, P-256, good for a day) as the files that operators have, made with the openssl command.
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate, createHash } from 'node:crypto';

const openssl = (...words) => execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });

/** A pair that vouches for itself, good for `localhost`, 127.0.0.1 and ::1; in files whose names begin with `name`. */
export function makeCertificate(folder, name) {
    const pair = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
        '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1',
        '-keyout', pair.key, '-out', pair.certificate);
    pair.pem = readFileSync(pair.certificate, 'utf8');
    const certificate = new X509Certificate(pair.pem);
    pair.fingerprint = certificate.fingerprint256;
    // As Chromium names keys.
    pair.keyHash = createHash('sha256').update(certificate.publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
    return pair;
}

/** The same pair as one PKCS#12 file. */
export function writePkcs12(pair, file, password) {
    openssl('pkcs12', '-export', '-in', pair.certificate, '-inkey', pair.key, '-out', file, '-passout', `pass:${password}`);
}

/** Puts `next` into the place of `pair`, a file at a time, as renewal tools do. */
export function replaceCertificate(pair, next) {
    renameSync(next.certificate, pair.certificate);
    renameSync(next.key, pair.key);
}
