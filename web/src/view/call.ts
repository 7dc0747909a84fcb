/** The visit itself: the other person large, oneself small, and the controls. */

import type { App } from '../app';
import { type Notice, type State, isOn } from '../state';
import { capital, nameOf, otherRole, stopwatch } from '../words';
import { EndDialog, SettingsDialog } from './dialogs';
import { h, icon, setText, show } from './dom';
import { Toggle } from './lobby';

export class CallView {
    readonly localVideo = video('Your camera');
    readonly remoteVideo = video('Video of the other person');
    readonly status: HTMLElement;
    readonly element: HTMLElement;
    private readonly heading = h('h1', { class: 'visually-hidden', attrs: { tabindex: '-1' } });
    private readonly timer = h('span', { class: 'timer', attrs: { role: 'timer' } });
    private readonly chip = h('span', { class: 'chip' });
    private readonly remoteTile = h('div', { class: 'tile remote' });
    private readonly localTile = h('div', { class: 'tile local' });
    private readonly remoteName = h('span');
    private readonly remoteMuted = icon('microphoneOff');
    private readonly localMuted = icon('microphoneOff');
    private readonly waiting = h('div', { class: 'waiting' });
    private readonly waitingTitle = h('p', { class: 'waiting-title' });
    private readonly waitingText = h('p', { class: 'soft' });
    private readonly avatar = h('div', { class: 'avatar' }, icon('person'));
    private readonly banner = h('div', { class: 'banner', attrs: { role: 'alert' } });
    private readonly bannerText = h('span');
    private readonly soundButton = h('button', { class: 'button quiet', attrs: { type: 'button' } }, 'Turn on sound');
    private readonly microphone: Toggle;
    private readonly camera: Toggle;
    private readonly endButton: HTMLButtonElement;
    private readonly settings: SettingsDialog;
    private readonly ending: EndDialog;

    constructor(actions: App) {
        this.microphone = new Toggle('microphone', actions);
        this.camera = new Toggle('camera', actions);
        this.settings = new SettingsDialog(actions);
        this.ending = new EndDialog(actions);
        this.soundButton.addEventListener('click', () => void actions.playSound());
        this.status = h('div', { class: 'call-status' }, this.chip, this.timer);
        this.waiting.append(this.avatar, this.waitingTitle, this.waitingText);
        this.remoteTile.append(this.remoteVideo, this.waiting, h('div', { class: 'name' }, this.remoteMuted, this.remoteName));
        this.localTile.append(this.localVideo, h('div', { class: 'avatar small' }, icon('person')), h('div', { class: 'name' }, this.localMuted, h('span', {}, 'You')));
        this.banner.append(icon('alert'), this.bannerText, this.soundButton);
        const devices = round('sliders', 'Devices', 'Choose camera, microphone and speaker', () => this.settings.open());
        const leave = round('leave', 'Leave', 'Leave the visit', () => void actions.leave());
        leave.classList.add('leave');
        this.endButton = round('end', 'End visit', 'End the visit for both', () => this.ending.open());
        this.endButton.classList.add('danger');
        this.element = h(
            'section',
            { class: 'call' },
            this.heading,
            h('div', { class: 'stage' }, this.remoteTile, this.localTile, this.banner),
            h('div', { class: 'controls', attrs: { role: 'toolbar', 'aria-label': 'Call controls' } }, this.microphone.element, this.camera.element, devices, leave, this.endButton),
            this.settings.element,
            this.ending.element,
        );
        this.remoteVideo.addEventListener('resize', () => fit(this.remoteVideo));
        new ResizeObserver(() => fit(this.remoteVideo)).observe(this.remoteVideo);
    }

    update(state: State): void {
        const other = nameOf(otherRole(state.role), state.visit);
        const { remote } = state;
        setText(this.heading, `Visit with ${other}`);
        setText(this.remoteName, capital(other.replace(/^the /, '')));
        setText(this.waitingTitle, waitingTitle(state, other));
        setText(this.waitingText, waitingText(state));
        this.waiting.dataset['pulse'] = String(!remote.present);
        show(this.waiting, !(remote.present && remote.video));
        this.remoteVideo.dataset['on'] = String(remote.present && remote.video);
        this.remoteTile.dataset['speaking'] = String(remote.present && remote.speaking);
        this.remoteTile.dataset['present'] = String(remote.present);
        this.remoteMuted.toggleAttribute('hidden', !(remote.present && remote.muted));
        this.remoteTile.dataset['muted'] = String(remote.present && remote.muted);

        const cameraOn = isOn(state.camera);
        const muted = !isOn(state.microphone);
        this.localTile.dataset['video'] = String(cameraOn);
        this.localTile.dataset['muted'] = String(muted);
        this.localTile.dataset['speaking'] = String(state.speaking && !muted);
        this.localMuted.toggleAttribute('hidden', !muted);

        this.microphone.update(state);
        this.camera.update(state);
        this.settings.update(state);
        this.ending.update(state);
        show(this.endButton, state.role === 'DOCTOR');
        this.element.dataset['role'] = state.role ?? '';

        const banner = bannerOf(state);
        setText(this.bannerText, banner ?? '');
        show(this.banner, banner !== null);
        show(this.soundButton, banner !== null && state.notice === 'sound' && state.connection === 'connected');
        this.chip.dataset['connection'] = state.connection === 'connected' && state.notice === 'poor' ? 'poor' : state.connection;
        setText(this.chip, chipOf(state));
        this.tick(state, Date.now());
    }

    tick(state: State, now: number): void {
        show(this.timer, state.startedAt !== null);
        setText(this.timer, state.startedAt === null ? '' : stopwatch(now - state.startedAt));
    }

    /** What a screen reader says of the present state. */
    announcement(state: State): string {
        const other = nameOf(otherRole(state.role), state.visit);
        if (state.connection === 'reconnecting') return 'Connection interrupted. Reconnecting.';
        if (!state.remote.present) return waitingTitle(state, other);
        return `${capital(other)} is here${state.remote.muted ? ', muted' : ''}${state.remote.video ? '' : ', camera off'}`;
    }

    closeDialogs(): void {
        this.settings.close();
        this.ending.close();
    }
}

function waitingTitle(state: State, other: string): string {
    if (state.connection === 'connecting') return 'Connecting…';
    if (state.connection === 'reconnecting') return 'Reconnecting…';
    if (state.remote.present) return capital(`${other}’s camera is off`);
    return state.remote.wasHere ? capital(`${other} left the room`) : `Waiting for ${other}`;
}

function waitingText(state: State): string {
    if (state.connection === 'connecting') return 'This takes a moment.';
    if (state.connection === 'reconnecting') return 'The visit goes on by itself as soon as the network allows.';
    if (state.remote.present) return '';
    return state.remote.wasHere ? 'They can come back as long as the visit is open.' : 'They appear here as soon as they join. Please keep this page open.';
}

const kNotices: Record<Notice, string> = {
    poor: 'Your connection is weak. Turning your camera off may help the sound.',
    videoRefused: 'Your camera cannot be shown just now; the sound goes on.',
    sound: 'The browser is holding the sound back.',
    endFailed: 'The visit could not be ended. Please check your connection and try again.',
};

function bannerOf(state: State): string | null {
    if (state.connection === 'reconnecting') return 'Connection interrupted. Reconnecting…';
    if (state.microphone.wanted && ['refused', 'missing', 'busy', 'failed'].includes(state.microphone.state) && !state.notice) {
        return 'Nobody can hear you: your microphone does not work. Press Mic to try again.';
    }
    return state.notice ? kNotices[state.notice] : null;
}

function chipOf(state: State): string {
    if (state.connection === 'connecting') return 'Connecting';
    if (state.connection === 'reconnecting') return 'Reconnecting';
    return state.notice === 'poor' ? 'Weak connection' : 'Connected';
}

function round(sign: Parameters<typeof icon>[0], text: string, label: string, run: () => void): HTMLButtonElement {
    return h('button', { class: 'round', attrs: { type: 'button', 'aria-label': label }, on: { click: run } }, icon(sign), h('span', { class: 'label' }, text));
}

function video(label: string): HTMLVideoElement {
    const element = h('video', { attrs: { autoplay: '', playsinline: '', 'aria-label': label } });
    element.muted = true; // Sound comes through the page's audio element, mixed by the meeting.
    return element;
}

/** Fills the tile where that cuts off little, else shows the whole picture. */
function fit(shown: HTMLVideoElement): void {
    const { videoWidth, videoHeight, clientWidth, clientHeight } = shown;
    if (!videoWidth || !clientWidth) return;
    const ratio = videoWidth / videoHeight / (clientWidth / clientHeight);
    shown.dataset['fit'] = Math.max(ratio, 1 / ratio) < 1.45 ? 'cover' : 'contain';
}
