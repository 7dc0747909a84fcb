import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, type Pass } from './api';
import { Search } from './search';

const kOld = 'wss://node-a.example.org/control/m';
const kNew = 'wss://node-b.example.org/control/m';

function pass(signaling: string): Pass {
    return {
        meeting_id: 'm',
        external_meeting_id: 'e',
        media_region: 'local',
        media_placement: { audio_host_url: 'x', audio_fallback_url: 'x', signaling_url: signaling, turn_control_url: '' },
        attendee: { attendee_id: 'a', external_user_id: 'u', join_token: 't', role: 'DOCTOR' },
    };
}

describe('the search for a call', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    function searching(...answers: (Pass | ApiError)[]) {
        const last = answers[answers.length - 1]!;
        const ask = vi.fn(async () => {
            const answer = answers.shift() ?? last;
            if (answer instanceof ApiError) throw answer;
            return answer;
        });
        const moved = vi.fn();
        const refused = vi.fn();
        return { search: new Search(kOld, { ask, moved, refused }), ask, moved, refused };
    }
    const passTime = (ms: number) => vi.advanceTimersByTimeAsync(ms);

    it('asks at once and then every second until the call has moved', async () => {
        const { search, ask, moved } = searching(pass(kOld), pass(kOld), pass(kNew));
        search.begin();
        await passTime(0);
        expect(ask).toHaveBeenCalledTimes(1);
        await passTime(1000);
        expect(moved).not.toHaveBeenCalled();
        await passTime(1000);
        expect(moved).toHaveBeenCalledTimes(1);
        expect(moved.mock.calls[0]![0].media_placement.signaling_url).toBe(kNew);
    });

    it('goes on after a move that did not help, and follows the next', async () => {
        const { search, moved } = searching(pass(kNew), pass(kNew), pass(kOld));
        search.begin();
        await passTime(2000);
        expect(moved).toHaveBeenCalledTimes(2);
        search.end();
        await passTime(10_000);
        expect(moved).toHaveBeenCalledTimes(2);
    });

    it('is not put off by a service that does not answer', async () => {
        const { search, moved, refused } = searching(new ApiError(0, ''), new ApiError(503, 'busy'), new ApiError(429, ''), pass(kNew));
        search.begin();
        await passTime(3000);
        expect(moved).toHaveBeenCalledTimes(1);
        expect(refused).not.toHaveBeenCalled();
    });

    it('ends when the service refuses', async () => {
        const { search, ask, refused } = searching(new ApiError(400, 'This session has already been completed'));
        search.begin();
        await passTime(10_000);
        expect(refused).toHaveBeenCalledTimes(1);
        expect(ask).toHaveBeenCalledTimes(1);
    });

    it('does not begin before its time, and not at all when the call connects before', async () => {
        const { search, ask } = searching(pass(kNew));
        search.begin(3000);
        search.begin(3000);
        await passTime(2999);
        search.end();
        await passTime(10_000);
        expect(ask).not.toHaveBeenCalled();
    });

    it('drops an answer that comes when nobody searches any more', async () => {
        let answer: (value: Pass) => void = () => {};
        const moved = vi.fn();
        const search = new Search(kOld, { ask: () => new Promise((resolve) => (answer = resolve)), moved, refused: vi.fn() });
        search.begin();
        await passTime(0);
        search.end();
        answer(pass(kNew));
        await passTime(5000);
        expect(moved).not.toHaveBeenCalled();
    });

    it('gives up after two minutes', async () => {
        const { search, ask } = searching(pass(kOld));
        search.begin();
        await passTime(180_000);
        expect(ask.mock.calls.length).toBeGreaterThan(115);
        expect(ask.mock.calls.length).toBeLessThan(125);
    });
});
