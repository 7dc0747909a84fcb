// What the cameras see: a drawn doctor and a drawn patient who breathe a little, as files that Chromium plays in a loop.
import { chromium } from 'playwright-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { options } from './browser.mjs';

const kFrames = 30; // One second.

const doctor = {
    room: '<rect width="1280" height="720" fill="#cfe3e6"/><rect x="70" y="60" width="330" height="400" rx="10" fill="#eef6f7"/><path d="M235 60v400M70 260h330" stroke="#b9d2d6" stroke-width="10"/><rect x="930" y="120" width="270" height="14" fill="#9db8bd"/><rect x="950" y="40" width="30" height="80" fill="#4f8a8b"/><rect x="988" y="52" width="24" height="68" fill="#d98e73"/><rect x="1020" y="34" width="34" height="86" fill="#e9d8a6"/><rect x="1064" y="58" width="26" height="62" fill="#7a9e9f"/><rect x="930" y="300" width="270" height="14" fill="#9db8bd"/><circle cx="1120" cy="250" r="46" fill="#7fae8f"/><rect x="1094" y="262" width="52" height="40" rx="6" fill="#b5654a"/>',
    skin: '#e0ac86', shade: '#c98f68', hair: '#4a3327', top: '#ffffff',
    clothes: '<path d="M555 560l85 100 85-100-28-34H583z" fill="#7fb2c4"/><path d="M640 660V720" stroke="#dfe7ea" stroke-width="6"/><path d="M548 545c-24 66-6 112 44 120M732 545c24 66 6 112-44 120" fill="none" stroke="#46606b" stroke-width="9" stroke-linecap="round"/><circle cx="690" cy="668" r="15" fill="#46606b"/>',
    hairShape: 'M520 300c-14-130 60-180 122-180 70 0 136 52 118 182-16-44-34-74-58-90-50 24-110 28-146 10-18 18-30 44-36 78z',
    glasses: true,
};

const patient = {
    room: '<rect width="1280" height="720" fill="#efdfcb"/><rect x="860" y="80" width="330" height="240" rx="6" fill="#fff8ec"/><path d="M880 300l90-110 70 70 50-50 80 90z" fill="#d9b48f"/><circle cx="1120" cy="140" r="26" fill="#e7a977"/><path d="M0 470h1280v250H0z" fill="#b98f74"/><path d="M40 470c0-90 30-130 110-130h200c80 0 110 40 110 130v250H40z" fill="#8c6a5d"/><path d="M150 120v260" stroke="#6d5a4e" stroke-width="10"/><path d="M90 200l22-90h76l22 90z" fill="#f4c95d"/>',
    skin: '#f0c3a0', shade: '#d9a27c', hair: '#8d8a87', top: '#7a5c91',
    clothes: '<path d="M560 552c20 44 52 60 80 60s60-16 80-60l-24-24H584z" fill="#6a4d80"/>',
    back: 'M500 340c0-150 60-226 140-226s140 76 140 226v116c0 26-34 36-52 20H552c-18 16-52 6-52-20z',
    hairShape: 'M512 318c2-128 58-186 128-186s126 58 128 186c-44-18-76-48-92-84-36 44-104 70-164 84z',
    glasses: false,
};

function drawing(who, at) {
    const breath = Math.sin(2 * Math.PI * at);
    const nod = 5 * Math.sin(2 * Math.PI * at + 0.6);
    const blink = at > 0.62 && at < 0.72;
    const eye = (x) => (blink ? `<path d="M${x - 15} 332h30" stroke="#2b2320" stroke-width="6" stroke-linecap="round"/>` : `<ellipse cx="${x}" cy="330" rx="9" ry="12" fill="#2b2320"/><circle cx="${x + 3}" cy="326" r="3" fill="#fff"/>`);
    const glasses = '<g fill="none" stroke="#33424a" stroke-width="6"><circle cx="592" cy="332" r="36"/><circle cx="688" cy="332" r="36"/><path d="M628 328q12-8 24 0"/></g>';
    return `<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720">${who.room}
        <g transform="translate(0 ${2 * breath})"><path d="M360 740c10-130 80-190 200-214h160c120 24 190 84 200 214z" fill="${who.top}"/>
        <path d="M586 450h108v90c-20 34-88 34-108 0z" fill="${who.shade}"/>${who.clothes}</g>
        <g transform="translate(0 ${2 * breath + nod}) rotate(${nod / 4} 640 420)"><path d="${who.back ?? ''}" fill="${who.hair}"/><ellipse cx="640" cy="330" rx="118" ry="150" fill="${who.skin}"/>
        <path d="${who.hairShape}" fill="${who.hair}"/>${eye(592)}${eye(688)}
        <path d="M566 ${292 - breath}q26-14 50 0M664 ${292 - breath}q26-14 50 0" fill="none" stroke="${who.hair}" stroke-width="8" stroke-linecap="round"/>
        <path d="M640 344q-14 36 4 40" fill="none" stroke="${who.shade}" stroke-width="7" stroke-linecap="round"/>
        <path d="M598 416q42 ${26 + 8 * breath} 84 0" fill="none" stroke="#a4513f" stroke-width="9" stroke-linecap="round"/>${who.glasses ? glasses : ''}</g></svg>`;
}

/** `{ DOCTOR, PATIENT }`: files for Chromium's `--use-file-for-fake-video-capture`. */
export async function drawnCameras() {
    const folder = mkdtempSync(join(tmpdir(), 'cameras-'));
    const browser = await chromium.launch(options([]));
    try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
        const film = async (name, who) => {
            const frames = [];
            for (let frame = 0; frame < kFrames; ++frame) {
                await page.setContent(`<style>body{margin:0}svg{display:block}</style>${drawing(who, frame / kFrames)}`);
                frames.push(await page.screenshot({ type: 'jpeg', quality: 85 }));
            }
            const file = join(folder, `${name}.mjpeg`);
            writeFileSync(file, Buffer.concat(frames));
            return file;
        };
        return { DOCTOR: await film('doctor', doctor), PATIENT: await film('patient', patient), remove: () => rmSync(folder, { recursive: true, force: true }) };
    } finally {
        await browser.close();
    }
}
