/** The whole page: frame, and whichever of the three screens the state asks for. */

import type { App } from '../app';
import type { Elements } from '../call';
import type { Claims } from '../link';
import type { State } from '../state';
import { type Words, describe, nameOf, otherRole } from '../words';
import { CallView } from './call';
import { h, icon, setText } from './dom';
import { LobbyView } from './lobby';
import { MessageView } from './message';

export class Page {
    private readonly main = h('main', { class: 'main' });
    private readonly live = h('div', { class: 'visually-hidden', attrs: { 'aria-live': 'polite', role: 'status' } });
    private readonly audio = h('audio', { attrs: { autoplay: '' } });
    private readonly lobby: LobbyView;
    private readonly call: CallView;
    private readonly message: MessageView;
    private shown: HTMLElement | null = null;

    constructor(
        root: HTMLElement,
        actions: App,
        private readonly claims: () => Claims | null,
    ) {
        this.lobby = new LobbyView(actions);
        this.call = new CallView(actions);
        this.message = new MessageView(actions);
        const brand = h('div', { class: 'brand' }, h('span', { class: 'brand-mark' }, icon('brand')), h('span', {}, 'Video consultation'));
        root.append(h('header', { class: 'bar' }, brand, this.call.status), this.main, this.live, this.audio);
    }

    get previewVideo(): HTMLVideoElement {
        return this.lobby.video;
    }

    get callElements(): Elements {
        return { audio: this.audio, localVideo: this.call.localVideo, remoteVideo: this.call.remoteVideo };
    }

    update(state: State): void {
        document.documentElement.dataset['phase'] = state.phase;
        const now = Date.now();
        const say = (problem: NonNullable<State['over']>): Words =>
            describe(problem.problem, { role: state.role, visit: state.visit, claims: this.claims(), detail: problem.detail, now });
        switch (state.phase) {
            case 'loading':
                this.message.showLoading();
                this.put(this.message.element, 'Video consultation');
                break;
            case 'lobby':
            case 'joining':
                this.lobby.update(state, state.joinTrouble ? say(state.joinTrouble) : null, now);
                this.put(this.lobby.element, 'Join your visit');
                break;
            case 'call':
                this.call.update(state);
                this.put(this.call.element, `In the visit with ${nameOf(otherRole(state.role), state.visit)}`);
                setText(this.live, this.call.announcement(state));
                break;
            case 'over': {
                if (!state.over) break;
                const words = say(state.over);
                this.message.show(words);
                this.put(this.message.element, words.title);
                break;
            }
        }
        this.call.status.hidden = state.phase !== 'call';
    }

    /** Once a second: what changes with time alone. */
    tick(state: State, now: number): void {
        if (state.phase === 'call') this.call.tick(state, now);
        if (state.phase === 'lobby') this.lobby.tick(state, now);
    }

    private put(element: HTMLElement, title: string): void {
        document.title = title;
        if (this.shown === element) return;
        this.call.closeDialogs();
        this.main.replaceChildren(element);
        // A reader, or somebody with a keyboard, begins at the new screen's heading.
        if (this.shown) element.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
        this.shown = element;
    }
}
