/** One thing to say and at most one thing to do: loading, what went wrong, the end of a visit. */

import type { App } from '../app';
import type { Words } from '../words';
import { h, icon, setIcon, setText, show } from './dom';

export class MessageView {
    private readonly title = h('h1', { attrs: { tabindex: '-1' } });
    private readonly text = h('p');
    private readonly button = h('button', { class: 'button primary', attrs: { type: 'button' } });
    private readonly sign = icon('clock');
    private readonly signPlate = h('div', { class: 'sign' }, this.sign);
    readonly element = h('section', { class: 'message card' }, this.signPlate, this.title, this.text, this.button);

    constructor(actions: App) {
        this.button.addEventListener('click', () => void actions.again());
    }

    showLoading(): void {
        this.element.dataset['mood'] = 'busy';
        setIcon(this.sign, 'clock');
        setText(this.title, 'One moment');
        setText(this.text, 'We are looking up your visit.');
        show(this.button, false);
    }

    show(words: Words): void {
        this.element.dataset['mood'] = words.mood;
        setIcon(this.sign, words.mood === 'trouble' ? 'alert' : 'check');
        setText(this.title, words.title);
        setText(this.text, words.text);
        setText(this.button, words.remedy === 'rejoin' ? 'Join again' : 'Try again');
        show(this.button, words.remedy !== null);
    }
}
