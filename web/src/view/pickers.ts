/** The three drop-down lists for camera, microphone and speaker; the lobby and the call each have a set. */

import type { App } from '../app';
import type { Kind, State } from '../state';
import { type IconName, h, icon, show } from './dom';

const kNames: Record<Kind, { label: string; icon: IconName; none: string }> = {
    camera: { label: 'Camera', icon: 'camera', none: 'No camera' },
    microphone: { label: 'Microphone', icon: 'microphone', none: 'No microphone' },
    speaker: { label: 'Speaker', icon: 'speaker', none: '' },
};
const kKinds: Kind[] = ['camera', 'microphone', 'speaker'];

export class Pickers {
    readonly element = h('div', { class: 'pickers' });
    private readonly rows: Record<Kind, { row: HTMLElement; select: HTMLSelectElement; shown: string }>;

    constructor(prefix: string, actions: App) {
        const row = (kind: Kind) => {
            const { label, icon: sign } = kNames[kind];
            const id = `${prefix}-${kind}`;
            const select = h('select', { attrs: { id }, on: { change: () => void actions.choose(kind, select.value) } });
            const line = h('div', { class: 'picker' }, h('label', { attrs: { for: id } }, icon(sign), label), select);
            this.element.append(line);
            return { row: line, select, shown: '' };
        };
        this.rows = { camera: row('camera'), microphone: row('microphone'), speaker: row('speaker') };
    }

    update(state: State): void {
        for (const kind of kKinds) {
            const { row, select } = this.rows[kind];
            const list = state.lists[kind];
            const key = JSON.stringify(list);
            if (key !== this.rows[kind].shown) {
                this.rows[kind].shown = key;
                const options = list.map((device) => h('option', { attrs: { value: device.id } }, device.label));
                select.replaceChildren(...(options.length ? options : [h('option', {}, kNames[kind].none)]));
            }
            select.disabled = list.length === 0;
            if (list.length && select.value !== state.chosen[kind]) select.value = state.chosen[kind];
            show(row, kind !== 'speaker' || list.length > 0);
        }
    }
}
