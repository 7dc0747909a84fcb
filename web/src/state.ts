/** The page as one value, and how events change it. Pure; effects live in app.ts. */

import type { Role, Visit } from './api';
import { type DeviceTrouble, type Problem, closedBecause } from './words';

export type Kind = 'camera' | 'microphone' | 'speaker';
export type Source = 'camera' | 'microphone';

export interface DeviceInfo {
    id: string;
    label: string;
}

export interface DeviceState {
    wanted: boolean; // What the person chose: camera on, microphone not muted.
    state: 'asking' | 'ready' | DeviceTrouble;
}

export interface Remote {
    present: boolean;
    muted: boolean;
    speaking: boolean;
    video: boolean;
    wasHere: boolean;
}

export type Notice = 'poor' | 'videoRefused' | 'sound' | 'endFailed';

export interface State {
    phase: 'loading' | 'lobby' | 'joining' | 'call' | 'over';
    role: Role | null;
    visit: Visit | null;
    over: { problem: Problem; detail: string } | null;
    joinTrouble: { problem: Problem; detail: string } | null; // Said in the lobby; trying again may help.
    camera: DeviceState;
    microphone: DeviceState;
    lists: Record<Kind, DeviceInfo[]>;
    chosen: Record<Kind, string>;
    connection: 'connecting' | 'connected' | 'reconnecting';
    startedAt: number | null; // When this person got into the call.
    remote: Remote;
    speaking: boolean;
    notice: Notice | null;
    ending: boolean;
}

export type Event =
    | { type: 'visit'; visit: Visit }
    | { type: 'over'; problem: Problem; detail?: string; visit?: Visit }
    | { type: 'retry' }
    | { type: 'lists'; lists: Record<Kind, DeviceInfo[]>; chosen: Record<Kind, string> }
    | { type: 'device'; kind: Source; state: DeviceState['state'] }
    | { type: 'want'; kind: Source; on: boolean }
    | { type: 'joining' }
    | { type: 'joinFailed'; problem: Problem; detail: string }
    | { type: 'entered' }
    | { type: 'connected'; now: number }
    | { type: 'reconnecting' }
    | { type: 'presence'; present: boolean }
    | { type: 'remoteVoice'; muted: boolean; speaking: boolean }
    | { type: 'remoteVideo'; on: boolean }
    | { type: 'voice'; speaking: boolean }
    | { type: 'notice'; notice: Notice | null }
    | { type: 'ending'; on: boolean };

const kNobody: Remote = { present: false, muted: false, speaking: false, video: false, wasHere: false };

export function initialState(role: Role | null): State {
    return {
        phase: 'loading',
        role,
        visit: null,
        over: null,
        joinTrouble: null,
        camera: { wanted: true, state: 'asking' },
        microphone: { wanted: true, state: 'asking' },
        lists: { camera: [], microphone: [], speaker: [] },
        chosen: { camera: '', microphone: '', speaker: '' },
        connection: 'connecting',
        startedAt: null,
        remote: kNobody,
        speaking: false,
        notice: null,
        ending: false,
    };
}

export function reduce(state: State, event: Event): State {
    switch (event.type) {
        case 'visit': {
            const next = { ...state, visit: event.visit };
            const closed = closedBecause(event.visit.status);
            if (state.phase === 'call') return next; // The meeting itself says when it is over.
            if (closed && !(closed === 'completed' && state.over?.problem === 'ended')) return finish(next, closed, '');
            return state.phase === 'loading' ? { ...next, phase: 'lobby' } : next;
        }
        case 'over':
            if (state.phase === 'over') return state; // The first reason is the true one.
            return finish({ ...state, visit: event.visit ?? state.visit }, event.problem, event.detail ?? '');
        case 'retry':
            return {
                ...initialState(state.role),
                camera: { ...state.camera, state: 'asking' },
                microphone: { ...state.microphone, state: 'asking' },
                chosen: state.chosen,
            };
        case 'lists':
            return { ...state, lists: event.lists, chosen: event.chosen };
        case 'device':
            return { ...state, [event.kind]: { ...state[event.kind], state: event.state } };
        case 'want':
            return { ...state, [event.kind]: { ...state[event.kind], wanted: event.on } };
        case 'joining':
            return state.phase === 'lobby' ? { ...state, phase: 'joining', joinTrouble: null } : state;
        case 'joinFailed':
            return state.phase === 'joining' ? { ...state, phase: 'lobby', joinTrouble: { problem: event.problem, detail: event.detail } } : state;
        case 'entered':
            if (state.phase !== 'joining') return state;
            return { ...state, phase: 'call', connection: 'connecting', remote: kNobody, notice: null };
        case 'connected':
            return { ...state, connection: 'connected', startedAt: state.startedAt ?? event.now };
        case 'reconnecting':
            return { ...state, connection: state.startedAt === null ? 'connecting' : 'reconnecting', remote: { ...state.remote, speaking: false }, speaking: false };
        case 'presence': {
            const here = { ...state.remote, present: true, wasHere: true };
            return { ...state, remote: event.present ? here : { ...kNobody, wasHere: state.remote.wasHere } };
        }
        case 'remoteVoice':
            return { ...state, remote: { ...state.remote, muted: event.muted, speaking: event.speaking && !event.muted } };
        case 'remoteVideo':
            return { ...state, remote: { ...state.remote, video: event.on } };
        case 'voice':
            return { ...state, speaking: event.speaking };
        case 'notice':
            return { ...state, notice: event.notice };
        case 'ending':
            return { ...state, ending: event.on };
    }
}

/** In the lobby: whether the other person is in the room already. */
export function otherIsWaiting(state: State): boolean {
    const other = state.role === 'DOCTOR' ? 'PATIENT' : 'DOCTOR';
    return state.visit?.attendees?.some((a) => a.role === other && a.connected) ?? false;
}

export function isOn(device: DeviceState): boolean {
    return device.wanted && device.state === 'ready';
}

function finish(state: State, problem: Problem, detail: string): State {
    return { ...state, phase: 'over', over: { problem, detail }, remote: kNobody, notice: null, ending: false, speaking: false };
}
