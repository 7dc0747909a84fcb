import { describe as group, expect, it } from 'vitest';
import type { Status, Visit } from './api';
import { type Context, type Problem, closedBecause, countdown, dayAndTime, describe, deviceTrouble, deviceWords, nameOf, problemOfAnswer, problemOfMeeting, problemOfRefusal, schedule, stopwatch } from './words';

const now = new Date(2026, 0, 25, 14, 0).getTime();
const kMinute = 60_000;

function visit(change: Partial<Visit> = {}): Visit {
    return {
        session_id: 's',
        booking_type: 'DIRECT_DOCTOR',
        doctor_id: '12',
        patient_id: '34',
        status: 'SCHEDULED',
        scheduled_start_time: new Date(now).toISOString(),
        scheduled_end_time: new Date(now + 30 * kMinute).toISOString(),
        chief_complaint: null,
        session_notes: null,
        ...change,
    };
}

const context = (change: Partial<Context> = {}): Context => ({ role: 'PATIENT', visit: visit(), claims: null, detail: '', now, ...change });
const claims = (expiresAt: number | null, validFrom: number | null = null) => ({ userId: '34', role: 'PATIENT', expiresAt, validFrom });

group('what an answer means', () => {
    it.each<[number, Problem]>([
        [0, 'network'],
        [401, 'link'],
        [403, 'notYours'],
        [404, 'notFound'],
        [400, 'refused'],
        [409, 'refused'],
        [422, 'refused'],
        [429, 'busy'],
        [500, 'busy'],
        [503, 'busy'],
    ])('%i is "%s"', (status, problem) => {
        expect(problemOfAnswer(status, claims(null), now)).toBe(problem);
    });

    it('tells an expired and an early token from a bad one', () => {
        expect(problemOfAnswer(401, claims(now - 1), now)).toBe('expired');
        expect(problemOfAnswer(401, claims(now + 1, now + 1), now)).toBe('tooEarly');
        expect(problemOfAnswer(401, claims(now + 1, now - 1), now)).toBe('link');
    });
});

group('what a refused join means', () => {
    it.each<[Status, Problem]>([
        ['COMPLETED', 'completed'],
        ['CANCELLED', 'cancelled'],
        ['NO_SHOW', 'missed'],
    ])('%s is "%s"', (status, problem) => {
        expect(problemOfRefusal(visit({ status }), now)).toBe(problem);
    });

    it('goes by the planned time for a visit that is open', () => {
        expect(problemOfRefusal(visit(), now - 1)).toBe('tooEarly');
        expect(problemOfRefusal(visit(), now + kMinute)).toBe('refused');
        expect(problemOfRefusal(visit(), now + 31 * kMinute)).toBe('tooLate');
        expect(problemOfRefusal(visit({ status: 'ACTIVE' }), now + 31 * kMinute)).toBe('refused');
    });

    it('nothing closes an open visit', () => {
        expect(['SCHEDULED', 'WAITING', 'ACTIVE'].map((s) => closedBecause(s as Status))).toEqual([null, null, null]);
    });
});

group('the end of a meeting', () => {
    it.each<[number, Problem]>([
        [1, 'left'],
        [2, 'elsewhere'],
        [3, 'ended'],
        [4, 'full'],
        [5, 'ended'],
        [22, 'removed'],
        [14, 'lost'],
        [18, 'lost'],
    ])('code %i is "%s"', (code, problem) => {
        expect(problemOfMeeting(code)).toBe(problem);
    });
});

group('sentences', () => {
    const all: Problem[] = ['link', 'expired', 'tooEarly', 'tooLate', 'notFound', 'notYours', 'cancelled', 'completed', 'missed', 'refused', 'network', 'busy', 'unsupported', 'elsewhere', 'removed', 'full', 'lost', 'ended', 'left'];

    it('exist for every problem, with nothing left open in them', () => {
        for (const problem of all) {
            const words = describe(problem, context({ visit: null, role: null }));
            expect(words.title.length).toBeGreaterThan(5);
            expect(words.text).toMatch(/\.$/);
            expect(words.text).not.toMatch(/undefined|null|NaN|Invalid/);
        }
    });

    it('offer a way back only where there is one', () => {
        const remedies = Object.fromEntries(all.map((problem) => [problem, describe(problem, context()).remedy]));
        for (const final of ['completed', 'cancelled', 'missed', 'ended', 'removed', 'expired', 'link', 'notFound']) expect(remedies[final]).toBeNull();
        for (const passing of ['network', 'busy', 'tooEarly', 'refused']) expect(remedies[passing]).toBe('retry');
        for (const again of ['left', 'lost', 'elsewhere']) expect(remedies[again]).toBe('rejoin');
    });

    it('say when an early link opens', () => {
        const later = visit({ scheduled_start_time: new Date(now + 26 * 60 * kMinute).toISOString() });
        expect(describe('tooEarly', context({ visit: later })).text).toContain('tomorrow at');
        expect(describe('tooEarly', context({ visit: null, claims: claims(null, now + kMinute) })).text).toContain('today at');
    });

    it('say how long a visit lasted, in grammar', () => {
        expect(describe('ended', context({ visit: visit({ duration_minutes: 1 }) })).text).toContain('It lasted 1 minute.');
        expect(describe('ended', context({ visit: visit({ duration_minutes: 75 }) })).text).toContain('1 hour 15 minutes.');
        expect(describe('ended', context({ visit: visit({ duration_minutes: 0 }) })).text).not.toContain('lasted');
    });

    it('pass on what the service said', () => {
        expect(describe('refused', context({ detail: 'The clinic is closed today' })).text).toBe('The clinic is closed today');
    });

    it('name people by what the visit knows', () => {
        expect(nameOf('DOCTOR', visit())).toBe('Doctor\u00a012');
        expect(nameOf('PATIENT', visit({ patient_id: 'a2f0-77' }))).toBe('the patient');
        expect(nameOf('PATIENT', null)).toBe('the patient');
    });
});

group('times', () => {
    it('count down to the visit', () => {
        expect(countdown(visit(), now - 95 * kMinute)).toBe('Starts in 1 hour 35 minutes');
        expect(countdown(visit(), now - kMinute)).toBe('Starts in 1 minute');
        expect(countdown(visit(), now)).toBe('Starts now');
        expect(countdown(visit(), now + 3 * kMinute)).toBe('Planned for 3 minutes ago');
        expect(countdown(visit(), now + 31 * kMinute)).toBe('The planned time has passed');
        expect(countdown(visit(), now - 48 * 60 * kMinute)).toBe('Starts in 2 days');
    });

    it('name the day', () => {
        expect(dayAndTime(now, now)).toMatch(/^today at /);
        expect(dayAndTime(now - 15 * 60 * kMinute, now)).toMatch(/^yesterday at /);
        expect(dayAndTime(now + 72 * 60 * kMinute, now)).toMatch(/^on Wed,? 28 Jan at /);
        expect(schedule(visit(), now)).toMatch(/^Today, .+ – .+$/);
    });

    it('run as a stopwatch', () => {
        expect([-5, 0, 59_999, 187_000, 3_765_000].map(stopwatch)).toEqual(['0:00', '0:00', '0:59', '3:07', '1:02:45']);
    });
});

group('device troubles', () => {
    const named = (name: string) => Object.assign(new Error(), { name });

    it.each([
        ['NotAllowedError', 'refused'],
        ['PermissionDeniedError', 'refused'],
        ['NotFoundError', 'missing'],
        ['OverconstrainedError', 'missing'],
        ['NotReadableError', 'busy'],
        ['AbortError', 'busy'],
        ['TypeError', 'failed'],
    ])('%s is "%s"', (name, trouble) => {
        expect(deviceTrouble(named(name))).toBe(trouble);
    });

    it('say what follows', () => {
        expect(deviceTrouble('what')).toBe('failed');
        expect(deviceWords('camera', 'refused')).toContain('may not use your camera');
        expect(deviceWords('microphone', 'missing')).toContain('nobody will hear you');
        expect(deviceWords('both', 'busy')).toContain('camera and microphone');
    });
});
