import { describe, expect, it } from 'vitest';
import type { Status, Visit } from './api';
import { type Event, type State, initialState, isOn, otherIsWaiting, reduce } from './state';

function visit(status: Status, change: Partial<Visit> = {}): Visit {
    return {
        session_id: 's',
        booking_type: 'DIRECT_DOCTOR',
        doctor_id: '12',
        patient_id: '34',
        status,
        scheduled_start_time: '2026-01-25T14:00:00Z',
        scheduled_end_time: '2026-01-25T14:30:00Z',
        chief_complaint: null,
        session_notes: null,
        ...change,
    };
}

const after = (...events: Event[]): State => events.reduce(reduce, initialState('PATIENT'));
const open: Event = { type: 'visit', visit: visit('SCHEDULED') };
const inCall: Event[] = [open, { type: 'device', kind: 'camera', state: 'ready' }, { type: 'device', kind: 'microphone', state: 'ready' }, { type: 'joining' }, { type: 'entered' }];

describe('the way in', () => {
    it('leads from loading over the lobby into the call', () => {
        expect(after().phase).toBe('loading');
        expect(after(open).phase).toBe('lobby');
        expect(after(open, { type: 'joining' }).phase).toBe('joining');
        expect(after(...inCall).phase).toBe('call');
        expect(after(...inCall, { type: 'connected', now: 5 })).toMatchObject({ connection: 'connected', startedAt: 5 });
    });

    it.each<[Status, string]>([
        ['COMPLETED', 'completed'],
        ['CANCELLED', 'cancelled'],
        ['NO_SHOW', 'missed'],
    ])('is shut for a visit that is %s, also while waiting in the lobby', (status, problem) => {
        const closed: Event = { type: 'visit', visit: visit(status) };
        expect(after(closed)).toMatchObject({ phase: 'over', over: { problem } });
        expect(after(open, closed)).toMatchObject({ phase: 'over', over: { problem } });
    });

    it('stays open after a passing trouble, which is forgotten at the next try', () => {
        const failed = after(open, { type: 'joining' }, { type: 'joinFailed', problem: 'busy', detail: '' });
        expect(failed).toMatchObject({ phase: 'lobby', joinTrouble: { problem: 'busy' } });
        expect(reduce(failed, { type: 'joining' }).joinTrouble).toBeNull();
    });

    it('is not entered twice, nor from where there is none', () => {
        expect(after({ type: 'entered' }).phase).toBe('loading');
        expect(after({ type: 'joining' }).phase).toBe('loading');
        const state = after(...inCall);
        expect(reduce(state, { type: 'joining' })).toBe(state);
    });
});

describe('the call', () => {
    it('counts its time from the first connection, through interruptions', () => {
        const state = after(...inCall, { type: 'connected', now: 5 }, { type: 'reconnecting' }, { type: 'connected', now: 9 });
        expect(state).toMatchObject({ connection: 'connected', startedAt: 5 });
    });

    it('says reconnecting only after it was connected', () => {
        expect(after(...inCall, { type: 'reconnecting' }).connection).toBe('connecting');
        expect(after(...inCall, { type: 'connected', now: 1 }, { type: 'reconnecting' }).connection).toBe('reconnecting');
    });

    it('knows whether the other one is here, was here, speaks', () => {
        const here = after(...inCall, { type: 'presence', present: true }, { type: 'remoteVideo', on: true }, { type: 'remoteVoice', muted: false, speaking: true });
        expect(here.remote).toEqual({ present: true, muted: false, speaking: true, video: true, wasHere: true });
        expect(reduce(here, { type: 'remoteVoice', muted: true, speaking: true }).remote.speaking).toBe(false);
        expect(reduce(here, { type: 'presence', present: false }).remote).toEqual({ present: false, muted: false, speaking: false, video: false, wasHere: true });
    });

    it('does not end by what the list of visits says, only by what the meeting says', () => {
        const state = after(...inCall, { type: 'visit', visit: visit('COMPLETED') });
        expect(state.phase).toBe('call');
        expect(reduce(state, { type: 'over', problem: 'ended' }).over?.problem).toBe('ended');
    });
});

describe('the end', () => {
    it('has one reason: the first', () => {
        expect(after(...inCall, { type: 'over', problem: 'left' }, { type: 'over', problem: 'lost' }).over?.problem).toBe('left');
    });

    it('stays "ended" for somebody who was there, with the final figures', () => {
        const state = after(...inCall, { type: 'over', problem: 'ended' }, { type: 'visit', visit: visit('COMPLETED', { duration_minutes: 12 }) });
        expect(state.over?.problem).toBe('ended');
        expect(state.visit?.duration_minutes).toBe(12);
    });

    it('is corrected when the visit was in truth cancelled', () => {
        expect(after(...inCall, { type: 'over', problem: 'ended' }, { type: 'visit', visit: visit('CANCELLED') }).over?.problem).toBe('cancelled');
    });

    it('offers no way back into a visit that closed meanwhile', () => {
        expect(after(...inCall, { type: 'over', problem: 'left' }, { type: 'visit', visit: visit('COMPLETED') }).over?.problem).toBe('completed');
        expect(after(...inCall, { type: 'over', problem: 'left' }, { type: 'visit', visit: visit('ACTIVE') }).over?.problem).toBe('left');
    });

    it('can be followed by another try, which keeps what was wanted', () => {
        const state = after(...inCall, { type: 'want', kind: 'camera', on: false }, { type: 'over', problem: 'left' }, { type: 'retry' });
        expect(state).toMatchObject({ phase: 'loading', over: null, startedAt: null, camera: { wanted: false, state: 'asking' }, microphone: { wanted: true, state: 'asking' } });
    });
});

describe('devices', () => {
    it('are on when wanted and working', () => {
        expect(isOn({ wanted: true, state: 'ready' })).toBe(true);
        expect(isOn({ wanted: false, state: 'ready' })).toBe(false);
        expect(isOn({ wanted: true, state: 'refused' })).toBe(false);
    });
});

describe('the other person in the lobby', () => {
    it('is seen by being connected', () => {
        const other = (connected: boolean) => after({ type: 'visit', visit: visit('WAITING', { attendees: [{ user_id: '12', role: 'DOCTOR', connected, left_at: null }] }) });
        expect(otherIsWaiting(other(true))).toBe(true);
        expect(otherIsWaiting(other(false))).toBe(false);
        expect(otherIsWaiting(after(open))).toBe(false);
    });
});
