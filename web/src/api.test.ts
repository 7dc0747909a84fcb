import { afterEach, describe, expect, it, vi } from 'vitest';
import { Api, ApiError } from './api';

const link = { base: '/video', sessionId: 'a b', token: 't.o.k' };

function answer(status: number, body: string) {
    const calls: { url: string; init: RequestInit }[] = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
        calls.push({ url, init });
        return new Response(status === 204 ? null : body, { status });
    });
    return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe('Api', () => {
    it('asks below the gateway prefix, with the token in a header and nowhere in the address', async () => {
        const calls = answer(200, '{"session_id":"a b"}');
        await new Api(link).visit();
        expect(calls[0]?.url).toBe('/video/api/video/sessions/a%20b');
        expect(calls[0]?.init.headers).toEqual({ Authorization: 'Bearer t.o.k' });
    });

    it('sends what a join needs', async () => {
        const calls = answer(200, '{}');
        await new Api(link).join('web', 'Browser 1');
        expect(calls[0]).toMatchObject({ url: '/video/api/video/sessions/a%20b/join', init: { method: 'POST', body: '{"device_type":"web","browser_info":"Browser 1"}' } });
    });

    it('leaves out what the doctor did not fill in', async () => {
        const calls = answer(200, '{}');
        await new Api(link).end(null, '');
        await new Api(link).end(4, 'Well.');
        expect(calls.map((call) => call.init.body)).toEqual(['{}', '{"connection_quality_rating":4,"session_notes":"Well."}']);
    });

    it('gives the status and words of a refusal', async () => {
        answer(400, '{"detail":"This session has been cancelled"}');
        await expect(new Api(link).visit()).rejects.toEqual(new ApiError(400, 'This session has been cancelled'));
    });

    it.each([
        [422, '{"detail":[{"msg":"x"}]}', 422],
        [502, '<html>', 502],
        [200, 'not json', 502],
    ])('does not stumble over %i %j', async (status, body, seen) => {
        answer(status, body);
        await expect(new Api(link).visit()).rejects.toMatchObject({ status: seen, detail: '' });
    });

    it('tells no answer by status 0', async () => {
        vi.stubGlobal('fetch', async () => {
            throw new TypeError('Failed to fetch');
        });
        await expect(new Api(link).visit()).rejects.toMatchObject({ status: 0 });
    });

    it('leaves in a request that outlives the page', () => {
        const calls = answer(200, '{}');
        new Api(link).leaveForGood();
        expect(calls[0]).toMatchObject({ url: '/video/api/video/sessions/a%20b/leave', init: { method: 'POST', keepalive: true, headers: { Authorization: 'Bearer t.o.k' } } });
    });
});
