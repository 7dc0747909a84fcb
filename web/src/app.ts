/** Holds the page's state and carries out what the person, the service and the meeting want. */

import { Api, ApiError, type Visit } from './api';
import type { Call } from './call';
import type { Devices, LevelMeter } from './devices';
import { type Claims, type Link, readClaims } from './link';
import { type Event, type Kind, type Source, type State, initialState, isOn, reduce } from './state';
import { type Problem, closedBecause, problemOfAnswer, problemOfRefusal } from './words';
import { Page } from './view/page';

const kPollEvery = 10_000;

type Media = typeof import('./media');

export class App {
    private state: State;
    private readonly api: Api | null;
    private readonly claims: Claims | null;
    private readonly page: Page;
    private media: Media | null = null;
    private devices: Devices | null = null;
    private meter: LevelMeter | null = null;
    private call: Call | null = null;
    private poll = 0;

    constructor(
        link: Link | null,
        root: HTMLElement,
    ) {
        this.api = link ? new Api(link) : null;
        this.claims = link ? readClaims(link.token) : null;
        const role = this.claims?.role;
        this.state = initialState(role === 'DOCTOR' || role === 'PATIENT' ? role : null);
        this.page = new Page(root, this, () => this.claims);
        this.page.update(this.state);
        window.addEventListener('pagehide', () => {
            if (this.state.phase === 'call' || this.state.phase === 'joining') this.api?.leaveForGood();
        });
        setInterval(() => this.page.tick(this.state, Date.now()), 1000);
    }

    async begin(): Promise<void> {
        if (!this.api || !this.claims) return this.finish('link');
        if (!navigator.mediaDevices?.getUserMedia || !('RTCPeerConnection' in window)) return this.finish('unsupported');
        try {
            const [visit, media] = await Promise.all([this.api.visit(), import('./media')]);
            this.media = media;
            this.dispatch({ type: 'visit', visit });
        } catch (error) {
            return this.finish(this.problemOf(error), detailOf(error));
        }
        if (this.state.phase !== 'lobby') return;
        this.watch();
        this.devices = new this.media.Devices((event) => this.dispatch(event));
        this.devices.setPreview(this.page.previewVideo);
        await this.devices.open();
    }

    // What the person can do.

    async join(): Promise<void> {
        if (this.state.phase !== 'lobby' || !this.api || !this.devices || !this.media) return;
        this.dispatch({ type: 'joining' });
        try {
            const { api } = this;
            const enter = () => api.join(deviceType(), navigator.userAgent.slice(0, 200));
            const pass = await enter();
            window.clearInterval(this.poll);
            this.dispatch({ type: 'entered' });
            this.devices.setPreview(this.page.callElements.localVideo);
            this.closeMeter();
            const tell = (event: Event) => this.dispatch(event);
            const service = { rejoin: enter, refused: () => void this.lookAgain() };
            this.call = new this.media.Call(pass, this.devices.controller, this.page.callElements, tell, service);
            if (this.state.microphone.state !== 'ready') await this.devices.controller.startAudioInput(null);
            this.call.start(!isOn(this.state.microphone), isOn(this.state.camera));
        } catch (error) {
            await this.joinFailed(error);
        }
    }

    async toggle(kind: Source): Promise<void> {
        const device = this.state[kind];
        const on = !isOn(device);
        this.dispatch({ type: 'want', kind, on });
        if (kind === 'microphone') {
            if (on && device.state !== 'ready' && !(await this.devices?.start(kind))) return;
            this.call?.setMuted(!on);
            return;
        }
        if (on) {
            if (await this.devices?.start(kind)) this.call?.setCamera(true);
        } else {
            this.call?.setCamera(false);
            await this.devices?.stopCamera();
        }
    }

    async retryDevices(kinds: Source[]): Promise<void> {
        for (const kind of kinds) await this.devices?.start(kind);
    }

    async choose(kind: Kind, id: string): Promise<void> {
        const inUse = kind === 'microphone' || (kind === 'camera' && this.state.camera.wanted);
        await this.devices?.choose(kind, id, inUse);
    }

    async leave(): Promise<void> {
        const call = this.call;
        this.finish('left');
        await call?.stop();
        await this.api?.leave().then((visit) => this.dispatch({ type: 'visit', visit }), () => {});
    }

    async end(rating: number | null, notes: string): Promise<void> {
        if (!this.api || this.state.ending) return;
        this.dispatch({ type: 'ending', on: true });
        try {
            const visit = await this.api.end(rating, notes);
            this.finish('ended', '', visit);
        } catch {
            this.dispatch({ type: 'ending', on: false });
            this.dispatch({ type: 'notice', notice: 'endFailed' });
        }
    }

    /** Sound may only start after a click: this is one. */
    async playSound(): Promise<void> {
        await this.page.callElements.audio.play().catch(() => {});
        this.dispatch({ type: 'notice', notice: null });
    }

    /** Back to the beginning: looks at the visit again, and offers to join. */
    async again(): Promise<void> {
        this.dispatch({ type: 'retry' });
        await this.begin();
    }

    /** How loud the microphone is in the lobby, 0 to 1. */
    level(): number {
        if (!this.media || !this.devices || !isOn(this.state.microphone)) return 0;
        this.meter ??= new this.media.LevelMeter();
        return this.meter.read(this.devices.voiceStream);
    }

    private dispatch(event: Event): void {
        const before = this.state;
        this.state = reduce(before, event);
        if (event.type === 'connected') this.devices?.leavePreview(); // The meeting shows the camera in its place.
        if (this.state === before) return;
        this.page.update(this.state);
        if (before.phase !== 'over' && this.state.phase === 'over') void this.tidy();
    }

    private finish(problem: Problem, detail = '', visit?: Visit): void {
        this.dispatch({ type: 'over', problem, detail, ...(visit ? { visit } : {}) });
    }

    /** Gives devices and timers back; asks how the visit stands, so that the last page tells the truth. */
    private async tidy(): Promise<void> {
        window.clearInterval(this.poll);
        this.closeMeter();
        const { call, devices } = this;
        this.call = null;
        this.devices = null;
        await call?.stop().catch(() => {});
        await devices?.close().catch(() => {});
        const problem = this.state.over?.problem;
        if ((problem === 'ended' || problem === 'lost') && this.api && this.state.visit?.status !== 'COMPLETED') {
            await this.api.visit().then((visit) => this.dispatch({ type: 'visit', visit }), () => {});
        }
    }

    private closeMeter(): void {
        this.meter?.close();
        this.meter = null;
    }

    /** In the lobby the visit may be cancelled, or the other person may come: a look now and then tells. */
    private watch(): void {
        window.clearInterval(this.poll);
        this.poll = window.setInterval(() => {
            if (document.hidden || this.state.phase !== 'lobby') return;
            void this.api?.visit().then((visit) => this.dispatch({ type: 'visit', visit }), () => {});
        }, kPollEvery);
    }

    /** In the call, but not let in again: the other person may have ended the visit meanwhile. */
    private async lookAgain(): Promise<void> {
        const visit = await this.api?.visit().catch(() => null);
        if (visit && closedBecause(visit.status)) this.finish('ended', '', visit);
    }

    private async joinFailed(error: unknown): Promise<void> {
        if (this.state.phase === 'call') return this.finish('lost');
        let problem = this.problemOf(error);
        const detail = detailOf(error);
        if (problem === 'refused' || problem === 'notYours') {
            const visit = await this.api?.visit().catch(() => null);
            if (visit) {
                this.dispatch({ type: 'visit', visit });
                if (problem === 'refused') problem = problemOfRefusal(visit, Date.now());
            }
        }
        const passing = problem === 'network' || problem === 'busy' || problem === 'refused';
        this.dispatch(passing ? { type: 'joinFailed', problem, detail } : { type: 'over', problem, detail });
    }

    private problemOf(error: unknown): Problem {
        return error instanceof ApiError ? problemOfAnswer(error.status, this.claims, Date.now()) : 'network';
    }
}

function detailOf(error: unknown): string {
    return error instanceof ApiError ? error.detail : '';
}

function deviceType(): string {
    return matchMedia('(pointer: coarse)').matches ? 'mobile' : 'web';
}
