import { describe, expect, it } from 'vitest';
import { readClaims, readLink } from './link';

const token = (claims: unknown) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

describe('readLink', () => {
    it('takes the session from the path and the token from the fragment', () => {
        expect(readLink({ pathname: '/room/54a7', hash: '#token=a.b.c' })).toEqual({ base: '', sessionId: '54a7', token: 'a.b.c' });
    });

    it('keeps the prefix that a gateway strips', () => {
        expect(readLink({ pathname: '/video/room/54a7', hash: '#token=x' })?.base).toBe('/video');
        expect(readLink({ pathname: '/a/room/b/room/54a7/', hash: '#token=x' })).toEqual({ base: '/a/room/b', sessionId: '54a7', token: 'x' });
    });

    it('finds the token beside other words of the fragment', () => {
        expect(readLink({ pathname: '/room/1', hash: '#lang=en&token=x.y.z' })?.token).toBe('x.y.z');
    });

    it.each([
        ['no session', '/room/', '#token=x'],
        ['no room', '/rooms/1', '#token=x'],
        ['no token', '/room/1', ''],
        ['an empty token', '/room/1', '#token='],
        ['more than a session', '/room/1/2', '#token=x'],
        ['a broken escape', '/room/%E0%A4', '#token=x'],
        ['an escaped slash', '/room/1%2F..%2Fmetrics', '#token=x'],
    ])('refuses a link with %s', (_name, pathname, hash) => {
        expect(readLink({ pathname, hash })).toBeNull();
    });
});

describe('readClaims', () => {
    it('reads who, which role and how long', () => {
        expect(readClaims(token({ user_id: '34', role: 'PATIENT', exp: 100, nbf: 50 }))).toEqual({ userId: '34', role: 'PATIENT', expiresAt: 100_000, validFrom: 50_000 });
    });

    it('prefers sub, and does without times', () => {
        expect(readClaims(token({ sub: '12', user_id: '34', role: 'DOCTOR' }))).toEqual({ userId: '12', role: 'DOCTOR', expiresAt: null, validFrom: null });
    });

    it('reads names beyond ASCII', () => {
        expect(readClaims(token({ sub: 'Zoë', role: 'DOCTOR' }))?.userId).toBe('Zoë');
    });

    it.each(['', 'abc', 'a.%%.c', `a.${btoa('[')}.c`, `a.${btoa('null')}.c`, `a.${btoa('5')}.c`])('does not stumble over %j', (text) => {
        expect(readClaims(text)).toBeNull();
    });
});
