/** Making elements without markup in strings, and the page's own icons. */

type Child = Node | string | null;

interface Options {
    class?: string;
    attrs?: Record<string, string>;
    on?: Record<string, (event: globalThis.Event) => void>;
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, options: Options = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    if (options.class) element.className = options.class;
    for (const [name, value] of Object.entries(options.attrs ?? {})) element.setAttribute(name, value);
    for (const [name, run] of Object.entries(options.on ?? {})) element.addEventListener(name, run);
    element.append(...children.filter((child) => child !== null));
    return element;
}

/** Sets text, and touches the document only when it differs (screen readers speak changes). */
export function setText(element: Element, text: string): void {
    if (element.textContent !== text) element.textContent = text;
}

export function show(element: HTMLElement, visible: boolean): void {
    element.hidden = !visible;
}

// 24 by 24, drawn with a round pen.
const kIcons = {
    microphone: 'M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21',
    microphoneOff: 'M9 9.5V11a3 3 0 0 0 4.8 2.4M15 10V6a3 3 0 0 0-5.7-1.3M5.5 11a6.5 6.5 0 0 0 10.3 5.3M18.5 11a6.4 6.4 0 0 1-.6 2.7M12 17.5V21M4 4l16 16',
    camera: 'M6 6.5h6.5a3 3 0 0 1 3 3v5a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3v-5a3 3 0 0 1 3-3zM15.5 10.8l5.5-3v8.4l-5.5-3',
    cameraOff: 'M5 6.7a3 3 0 0 0-2 2.8v5a3 3 0 0 0 3 3h6.5a3 3 0 0 0 2.3-1M10.5 6.5h2a3 3 0 0 1 3 3v1.3l5.5-3v8.4l-3-1.6M4 4l16 16',
    sliders: 'M4 7.5h7.5M16.5 7.5H20M4 16.5h3.5M12.5 16.5H20M16.5 7.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM12.5 16.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z',
    leave: 'M10 4.5H7a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h3M15 8l4 4-4 4M19 12h-9',
    end: 'M3.2 13.8c5-4.6 12.6-4.6 17.6 0 .5.5.5 1.2.1 1.7l-1.2 1.4c-.4.5-1.1.6-1.6.3l-2.3-1.4c-.4-.3-.7-.8-.6-1.3l.1-1.5a10 10 0 0 0-6.6 0l.1 1.5c.1.5-.2 1-.6 1.3l-2.3 1.4c-.5.3-1.2.2-1.6-.3l-1.2-1.4c-.4-.5-.4-1.2.1-1.7z',
    clock: 'M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0zM12 7.5V12l3 2',
    person: 'M15.7 8a3.7 3.7 0 1 1-7.4 0 3.7 3.7 0 0 1 7.4 0zM4.8 20c.7-3.9 3.6-6 7.2-6s6.5 2.1 7.2 6',
    note: 'M7 3.8h10a2 2 0 0 1 2 2v12.4a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V5.8a2 2 0 0 1 2-2zM8.8 9h6.4M8.8 13h4',
    alert: 'M12 4.5 3.2 19.5h17.6zM12 10.5v4M12 17v.1',
    check: 'M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0zM8.3 12.3l2.6 2.6 4.8-5.3',
    speaker: 'M4 9.5v5h3.5l4.5 4v-13l-4.5 4zM15.5 9.2a4 4 0 0 1 0 5.6M18 6.5a7.7 7.7 0 0 1 0 11',
    star: 'm12 3.8 2.6 5.2 5.8.8-4.2 4.1 1 5.7-5.2-2.7-5.2 2.7 1-5.7L3.6 9.8l5.8-.8z',
    close: 'M6 6l12 12M18 6 6 18',
    brand: 'M9 8.5v7M5.5 12h7M5 4.5h8a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3H5a3 3 0 0 1-3-3v-9a3 3 0 0 1 3-3zM16 10.5l5.5-3v9l-5.5-3',
} as const;

export type IconName = keyof typeof kIcons;

export function icon(name: IconName): SVGSVGElement {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    svg.append(path);
    setIcon(svg, name);
    return svg;
}

export function setIcon(svg: SVGSVGElement, name: IconName): void {
    const path = svg.firstElementChild;
    if (path && path.getAttribute('d') !== kIcons[name]) path.setAttribute('d', kIcons[name]);
}
