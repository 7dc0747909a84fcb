/** Before the visit: what it is, how I look and sound, and the way in. */

import type { App } from '../app';
import { type Source, type State, isOn, otherIsWaiting } from '../state';
import { type Words, capital, countdown, deviceWords, nameOf, otherRole, schedule } from '../words';
import { type IconName, h, icon, setIcon, setText, show } from './dom';
import { Pickers } from './pickers';

const kBars = 5;

export class LobbyView {
    readonly video = h('video', { attrs: { autoplay: '', playsinline: '', 'aria-label': 'Your camera' } });
    readonly element: HTMLElement;
    private readonly placeholder = h('p', { class: 'placeholder' });
    private readonly bars = Array.from({ length: kBars }, () => h('i'));
    private readonly meter = h('div', { class: 'meter', attrs: { 'aria-hidden': 'true' } }, ...this.bars);
    private readonly microphone: Toggle;
    private readonly camera: Toggle;
    private readonly heading = h('h1', { attrs: { tabindex: '-1' } });
    private readonly presence = h('p', { class: 'presence' });
    private readonly when = h('dd');
    private readonly until = h('span', { class: 'soft' });
    private readonly who = h('dd');
    private readonly about = h('dd');
    private readonly aboutRow = h('div', {}, h('dt', {}, icon('note'), h('span', { class: 'visually-hidden' }, 'About')), this.about);
    private readonly pickers: Pickers;
    private readonly troubles = h('div', { class: 'troubles', attrs: { role: 'status' } });
    private readonly button = h('button', { class: 'button primary large', attrs: { type: 'button' } }, 'Join the visit');
    private readonly refusal = h('p', { class: 'refusal', attrs: { role: 'alert' } });
    private frame = 0;

    constructor(private readonly actions: App) {
        this.video.muted = true;
        this.microphone = new Toggle('microphone', actions);
        this.camera = new Toggle('camera', actions);
        this.pickers = new Pickers('lobby', actions);
        this.button.addEventListener('click', () => void actions.join());
        const preview = h(
            'div',
            { class: 'preview' },
            this.video,
            this.placeholder,
            h('div', { class: 'preview-tools' }, this.microphone.element, this.camera.element, this.meter),
        );
        const facts = h(
            'dl',
            { class: 'facts' },
            h('div', {}, h('dt', {}, icon('clock'), h('span', { class: 'visually-hidden' }, 'When')), h('div', {}, this.when, this.until)),
            h('div', {}, h('dt', {}, icon('person'), h('span', { class: 'visually-hidden' }, 'You are')), this.who),
            this.aboutRow,
        );
        this.element = h(
            'section',
            { class: 'lobby' },
            h('div', { class: 'lobby-look' }, preview, this.troubles),
            h('div', { class: 'card lobby-facts' }, this.heading, this.presence, facts, this.pickers.element, h('div', { class: 'lobby-go' }, this.refusal, this.button)),
        );
        this.listen();
    }

    update(state: State, refusal: Words | null, now: number): void {
        const { visit } = state;
        const other = nameOf(otherRole(state.role), visit);
        setText(this.heading, state.role ? `Your visit with ${other}` : 'A visit');
        const here = otherIsWaiting(state);
        this.presence.dataset['here'] = String(here);
        setText(this.presence, capital(here ? `${other} is in the room` : `${other} is not here yet`));
        if (visit) setText(this.when, schedule(visit, now));
        setText(this.who, state.role ? `You join as ${nameOf(state.role, visit)}` : '');
        setText(this.about, visit?.chief_complaint ?? '');
        show(this.aboutRow, Boolean(visit?.chief_complaint));

        this.camera.update(state);
        this.microphone.update(state);
        this.pickers.update(state);
        const on = isOn(state.camera);
        show(this.video, on);
        show(this.placeholder, !on);
        setText(this.placeholder, state.camera.state === 'asking' ? 'Waiting for your camera. Please allow it when the browser asks.' : 'Your camera is off');
        this.sayTroubles(state);

        const joining = state.phase === 'joining';
        this.button.disabled = joining || state.microphone.state === 'asking';
        setText(this.button, joining ? 'Joining…' : refusal ? 'Try again' : 'Join the visit');
        setText(this.refusal, refusal ? `${refusal.title}. ${refusal.text}` : '');
        show(this.refusal, refusal !== null);
        this.tick(state, now);
    }

    tick(state: State, now: number): void {
        if (state.visit) setText(this.until, countdown(state.visit, now));
    }

    private sayTroubles(state: State): void {
        const kinds: Source[] = ['camera', 'microphone'];
        const both = state.camera.state === state.microphone.state;
        const lines = kinds.flatMap((kind) => {
            const { state: found } = state[kind];
            if (found === 'ready' || found === 'asking' || (both && kind === 'microphone')) return [];
            return [{ kinds: both ? kinds : [kind], text: deviceWords(both ? 'both' : kind, found) }];
        });
        const key = JSON.stringify(lines);
        if (this.troubles.dataset['key'] === key) return;
        this.troubles.dataset['key'] = key;
        this.troubles.replaceChildren(
            ...lines.map(({ kinds: which, text }) =>
                h(
                    'div',
                    { class: 'trouble' },
                    icon('alert'),
                    h('p', {}, text),
                    h('button', { class: 'button quiet', attrs: { type: 'button' }, on: { click: () => void this.actions.retryDevices(which) } }, 'Try again'),
                ),
            ),
        );
    }

    /** Moves the level meter, while the lobby is on the screen. */
    private listen(): void {
        const step = () => {
            this.frame += 1;
            if (this.frame % 4 === 0 && this.element.isConnected) {
                const lit = Math.round(this.actions.level() * kBars);
                this.bars.forEach((bar, i) => bar.classList.toggle('lit', i < lit));
            }
            requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
    }
}

/** A round button for the camera or the microphone: pressed means on. */
export class Toggle {
    private readonly sign = icon('microphone');
    private readonly label = h('span', { class: 'label' });
    readonly element: HTMLButtonElement;

    constructor(
        private readonly kind: Source,
        actions: App,
    ) {
        this.element = h('button', { class: 'round', attrs: { type: 'button' }, on: { click: () => void actions.toggle(kind) } }, this.sign, this.label);
    }

    update(state: State): void {
        const on = isOn(state[this.kind]);
        const { state: found, wanted } = state[this.kind];
        const bright = on || (wanted && found === 'asking');
        const name: IconName = bright ? this.kind : `${this.kind}Off`;
        setIcon(this.sign, name);
        const noun = this.kind === 'camera' ? 'Camera' : 'Mic';
        const words = this.kind === 'camera' ? ['Turn camera off', 'Turn camera on'] : ['Mute microphone', 'Unmute microphone'];
        this.element.setAttribute('aria-label', (on ? words[0] : words[1]) ?? '');
        this.element.dataset['on'] = String(bright);
        this.element.dataset['trouble'] = String(!['ready', 'asking'].includes(found));
        this.element.disabled = found === 'asking';
        setText(this.label, noun);
    }
}
