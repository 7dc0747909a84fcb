// Bearer tokens as the auth service issues them (HS256, claims user_id, role, exp, iat), and bad ones on purpose.
import { createHmac } from 'node:crypto';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Any claims, any header: for tokens that must be refused. */
export function sign(claims, secret, header = { alg: 'HS256', typ: 'JWT' }) {
    const text = `${part(header)}.${part(claims)}`;
    const hash = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }[header.alg];
    const signature = hash ? createHmac(hash, secret).update(text).digest('base64url') : '';
    return `${text}.${signature}`;
}

export function mint(role, userId, secret, seconds = 3600) {
    const now = Math.floor(Date.now() / 1000);
    return sign({ user_id: String(userId), role, exp: now + seconds, iat: now }, secret);
}
