/** The two dialogs of a visit: devices, and the doctor's end of the visit. */

import type { App } from '../app';
import type { State } from '../state';
import { h, icon, setText } from './dom';
import { Pickers } from './pickers';

class Dialog {
    readonly element: HTMLDialogElement;

    constructor(title: string, ...content: HTMLElement[]) {
        const id = `dialog-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
        const close = h('button', { class: 'icon-button', attrs: { type: 'button', 'aria-label': 'Close' }, on: { click: () => this.close() } }, icon('close'));
        this.element = h(
            'dialog',
            { class: 'dialog', attrs: { 'aria-labelledby': id } },
            h('div', { class: 'dialog-head' }, h('h2', { attrs: { id } }, title), close),
            ...content,
        );
        this.element.addEventListener('click', (event) => {
            if (event.target === this.element) this.close(); // Beside the dialog.
        });
    }

    open(): void {
        if (!this.element.open) this.element.showModal();
    }

    close(): void {
        if (this.element.open) this.element.close();
    }
}

export class SettingsDialog extends Dialog {
    private readonly pickers: Pickers;

    constructor(actions: App) {
        const pickers = new Pickers('call', actions);
        super('Devices', pickers.element);
        this.pickers = pickers;
    }

    update(state: State): void {
        this.pickers.update(state);
    }
}

export class EndDialog extends Dialog {
    private readonly button: HTMLButtonElement;

    constructor(actions: App) {
        const notes = h('textarea', { attrs: { id: 'end-notes', rows: '4', maxlength: '5000' } });
        const stars = [1, 2, 3, 4, 5].map((n) => {
            const input = h('input', { class: 'visually-hidden', attrs: { type: 'radio', name: 'rating', id: `rating-${n}`, value: String(n) } });
            return [input, h('label', { attrs: { for: `rating-${n}`, title: `${n} of 5` } }, icon('star'), h('span', { class: 'visually-hidden' }, `${n} of 5`))];
        });
        const rating = h('fieldset', { class: 'rating' }, h('legend', {}, 'How was the connection?', h('span', { class: 'soft' }, ' (optional)')), h('div', { class: 'stars' }, ...stars.flat()));
        const button = h('button', { class: 'button danger', attrs: { type: 'button' } });
        const back = h('button', { class: 'button quiet', attrs: { type: 'button' }, on: { click: () => this.close() } }, 'Back to the visit');
        super(
            'End the visit?',
            h('p', { class: 'soft' }, 'It ends for both of you and cannot be joined again.'),
            h('div', { class: 'field' }, h('label', { attrs: { for: 'end-notes' } }, 'Notes', h('span', { class: 'soft' }, ' (optional)')), notes),
            rating,
            h('div', { class: 'dialog-foot' }, back, button),
        );
        this.button = button;
        button.addEventListener('click', () => {
            const chosen = rating.querySelector<HTMLInputElement>('input:checked');
            void actions.end(chosen ? Number(chosen.value) : null, notes.value.trim());
        });
    }

    update(state: State): void {
        this.button.disabled = state.ending;
        setText(this.button, state.ending ? 'Ending…' : 'End visit');
        if (state.notice === 'endFailed') this.close();
    }
}
