// A token that runs out in mid-call: who gets a new one, and for how long after.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sign } from '../lib/tokens.js';
import { eachStore } from '../lib/world.js';

const path = '/api/video/auth/refresh-token';
const minute = 60;

eachStore('renewal', (world) => {
    const ago = (role, userId, seconds, more = {}, secret = world().server.secret) => {
        const exp = Math.floor(Date.now() / 1000) - seconds;
        return sign({ user_id: userId, role, exp, iat: exp - 3600, ...more }, secret);
    };
    const renew = (token) => world().client.request('POST', path, { token });
    const refused = (answer, status, detail) => {
        assert.deepEqual([answer.status, answer.body], [status, { detail }]);
        if (status === 401) assert.equal(answer.headers['www-authenticate'], 'Bearer');
    };
    const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());

    test('ten minutes after its end, in a running session: a new token that works', async () => {
        const visit = await (await world().visit()).to('WAITING');
        const old = ago('PATIENT', visit.patientId, 10 * minute, { email: 'p@example.org', name: 'Kamala Silva' });
        assert.equal((await visit.get(old)).status, 401);
        const answer = await renew(old);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.headers['cache-control'], 'no-store');
        assert.equal(answer.body.token_type, 'bearer');
        assert.deepEqual(answer.body.user, { user_id: visit.patientId, email: 'p@example.org', role: 'PATIENT', name: 'Kamala Silva' });
        const token = answer.body.access_token;
        assert.equal((await visit.get(token)).status, 200);
        assert.equal((await visit.join(token)).status, 200);
        const claims = claimsOf(token);
        assert.deepEqual([claims.sub, claims.user_id, claims.role, claims.email, claims.name], [visit.patientId, visit.patientId, 'PATIENT', 'p@example.org', 'Kamala Silva']);
        assert.equal(Date.parse(answer.body.expires_at), claims.exp * 1000);
        const life = claims.exp - Date.now() / 1000;
        assert.ok(life > 85 * minute && life <= 90 * minute, String(life));
        assert.ok(!world().server.log.includes(token) && !world().server.log.includes(old));
    });

    test('tokens as the auth service makes them, and those still valid', async () => {
        const visit = await (await world().visit()).to('ACTIVE');
        for (const token of [ago('DOCTOR', visit.doctorId, 29 * minute), ago('DOCTOR', visit.doctorId, -minute), visit.doctor]) {
            const answer = await renew(token);
            assert.equal(answer.status, 200, answer.text);
            assert.deepEqual(answer.body.user, { user_id: visit.doctorId, email: null, role: 'DOCTOR', name: null });
            assert.equal((await renew(answer.body.access_token)).status, 200);
        }
    });

    test('31 minutes after its end: no more', async () => {
        const visit = await (await world().visit()).to('ACTIVE');
        refused(await renew(ago('PATIENT', visit.patientId, 31 * minute)), 401, 'Invalid token - cannot refresh');
        refused(await renew(ago('PATIENT', visit.patientId, 365 * 24 * 60 * minute)), 401, 'Invalid token - cannot refresh');
    });

    test('D1: only people of a running session', async () => {
        const no = 'Only participants of a running session may renew an expired token';
        for (const status of ['SCHEDULED', 'COMPLETED', 'CANCELLED']) {
            const visit = await (await world().visit()).to(status);
            for (const [role, id] of [['PATIENT', visit.patientId], ['DOCTOR', visit.doctorId]]) refused(await renew(ago(role, id, minute)), 403, no);
        }
        const running = await (await world().visit()).to('ACTIVE');
        // The right person in another part, somebody else, administrators.
        for (const [role, id] of [['DOCTOR', running.patientId], ['PATIENT', running.doctorId], ['PATIENT', world().pair().patientId], ['ADMIN', running.doctorId], ['SERVICE', running.patientId]]) {
            refused(await renew(ago(role, id, minute)), 403, no);
        }
    });

    test('forged and broken tokens, whatever the session', async () => {
        const visit = await (await world().visit()).to('ACTIVE');
        const now = Math.floor(Date.now() / 1000);
        const claims = { user_id: visit.patientId, role: 'PATIENT', exp: now - minute, iat: now - 3600 };
        const { secret } = world().server;
        for (const token of [
            ago('PATIENT', visit.patientId, minute, {}, 'another secret'), sign(claims, '', { alg: 'none', typ: 'JWT' }), sign(claims, secret, { alg: 'HS512', typ: 'JWT' }),
            sign({ ...claims, exp: undefined }, secret), sign({ ...claims, nbf: now + 3600 }, secret), sign({ ...claims, aud: 'x' }, secret),
            `${visit.patient.slice(0, -6)}AAAAAA`, 'a.b.c', 'nonsense', 'x'.repeat(9000),
        ]) {
            refused(await renew(token), 401, 'Invalid token - cannot refresh');
        }
        for (const broken of [{ user_id: undefined }, { role: undefined }, { role: '' }]) {
            refused(await renew(sign({ ...claims, ...broken }, secret)), 401, 'Invalid token payload - missing user_id or role');
        }
        for (const headers of [{}, { Authorization: '' }, { Authorization: 'Bearer' }, { Authorization: 'Basic ZG9jdG9yOjEy' }, { 'X-User-ID': visit.patientId, 'X-User-Role': 'PATIENT' }]) {
            refused(await world().client.request('POST', path, { headers }), 401, 'Missing or invalid authorization header');
        }
    });
}, { env: { JWT_EXPIRATION_MINUTES: '90' } });
