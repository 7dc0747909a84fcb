/** Cameras, microphones and speakers: asks for them, starts and changes them, tells the page what came of it. */

import { DefaultDeviceController, type DeviceChangeObserver, NoOpLogger } from 'amazon-chime-sdk-js';
import type { DeviceInfo, Event, Kind, Source } from './state';
import { deviceTrouble } from './words';

const kBrowserKind = { camera: 'videoinput', microphone: 'audioinput', speaker: 'audiooutput' } as const;

export class Devices implements DeviceChangeObserver {
    readonly controller = new DefaultDeviceController(new NoOpLogger(), { enableWebAudio: false });
    private readonly chosen: Record<Kind, string> = { camera: '', microphone: '', speaker: '' };
    private voice: MediaStream | null = null;
    private preview: HTMLVideoElement | null = null;

    constructor(private readonly tell: (event: Event) => void) {
        // Names are known once a device is in use; the library must not ask the person a second time for them.
        this.controller.setDeviceLabelTrigger(async () => new MediaStream());
        this.controller.addDeviceChangeObserver(this);
        this.controller.chooseVideoInputQuality(1280, 720, 30);
    }

    /** Asks for both devices at once (one question instead of two), then starts what there is. */
    async open(): Promise<void> {
        let both: MediaStream | null = null;
        let asked = true;
        try {
            both = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
        } catch (error) {
            // One of them may still be had, unless the person has just said no to the question.
            asked = deviceTrouble(error) !== 'refused';
        }
        await this.refresh();
        const start = async (kind: Source) => {
            if (asked || (await isGranted(kind))) await this.start(kind);
            else this.tell({ type: 'device', kind, state: 'refused' });
        };
        await Promise.all([start('microphone'), start('camera')]);
        both?.getTracks().forEach((track) => track.stop());
        await this.refresh();
    }

    async start(kind: Source): Promise<boolean> {
        this.tell({ type: 'device', kind, state: 'asking' });
        try {
            if (!this.chosen[kind]) await this.refresh();
            const id = this.chosen[kind];
            if (!id) throw new DOMException('', 'NotFoundError');
            if (kind === 'camera') {
                await this.controller.startVideoInput(id);
                this.showPreview();
            } else {
                this.voice = (await this.controller.startAudioInput(id)) ?? null;
            }
            this.tell({ type: 'device', kind, state: 'ready' });
            return true;
        } catch (error) {
            if (kind === 'microphone') this.voice = null;
            this.tell({ type: 'device', kind, state: deviceTrouble(error) });
            return false;
        }
    }

    async stopCamera(): Promise<void> {
        await this.controller.stopVideoInput();
    }

    async choose(kind: Kind, id: string, inUse: boolean): Promise<void> {
        this.chosen[kind] = id;
        if (kind === 'speaker') await this.controller.chooseAudioOutput(id).catch(() => {});
        else if (inUse) await this.start(kind);
        await this.refresh();
    }

    /** Shows the camera in this element until another (or none) is named. */
    setPreview(video: HTMLVideoElement | null): void {
        if (this.preview && this.preview !== video) this.controller.stopVideoPreviewForVideoInput(this.preview);
        this.preview = video;
        this.showPreview();
    }

    /** Somebody else shows the camera in that element from now on. */
    leavePreview(): void {
        this.preview = null;
    }

    /** The microphone's sound, for a level meter. */
    get voiceStream(): MediaStream | null {
        return this.voice;
    }

    audioInputsChanged(): void {
        void this.refresh();
    }

    audioOutputsChanged(): void {
        void this.refresh();
    }

    videoInputsChanged(): void {
        void this.refresh();
    }

    audioInputStreamEnded(): void {
        this.voice = null;
        this.tell({ type: 'device', kind: 'microphone', state: 'missing' });
    }

    videoInputStreamEnded(): void {
        this.tell({ type: 'device', kind: 'camera', state: 'missing' });
    }

    async close(): Promise<void> {
        this.setPreview(null);
        this.controller.removeDeviceChangeObserver(this);
        await this.controller.stopVideoInput().catch(() => {});
        await this.controller.stopAudioInput().catch(() => {});
        await this.controller.destroy();
    }

    private showPreview(): void {
        try {
            if (this.preview) this.controller.startVideoPreviewForVideoInput(this.preview);
        } catch {
            // No camera is running: the page shows a placeholder.
        }
    }

    private async refresh(): Promise<void> {
        const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
        const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;
        const list = (kind: Kind): DeviceInfo[] =>
            all
                .filter((device) => device.kind === kBrowserKind[kind] && device.deviceId !== '')
                .map((device, i) => ({ id: device.deviceId, label: device.label || `${kind} ${i + 1}` }));
        const lists = { camera: list('camera'), microphone: list('microphone'), speaker: canChooseSpeaker ? list('speaker') : [] };
        for (const kind of ['camera', 'microphone', 'speaker'] as const) {
            if (!lists[kind].some((device) => device.id === this.chosen[kind])) this.chosen[kind] = lists[kind][0]?.id ?? '';
        }
        this.tell({ type: 'lists', lists, chosen: { ...this.chosen } });
    }
}

async function isGranted(kind: Source): Promise<boolean> {
    try {
        const answer = await navigator.permissions.query({ name: kind as PermissionName });
        return answer.state === 'granted';
    } catch {
        return false;
    }
}

/** How loud the microphone is, 0 to 1, until closed. */
export class LevelMeter {
    private readonly context = new AudioContext();
    private readonly analyser = this.context.createAnalyser();
    private readonly samples = new Float32Array(512);
    private source: MediaStreamAudioSourceNode | null = null;
    private stream: MediaStream | null = null;

    read(stream: MediaStream | null): number {
        if (stream !== this.stream) {
            this.source?.disconnect();
            this.stream = stream;
            this.analyser.fftSize = this.samples.length;
            this.source = stream ? this.context.createMediaStreamSource(stream) : null;
            this.source?.connect(this.analyser);
            void this.context.resume().catch(() => {});
        }
        if (!stream || this.context.state !== 'running') return 0;
        this.analyser.getFloatTimeDomainData(this.samples);
        const power = this.samples.reduce((sum, value) => sum + value * value, 0) / this.samples.length;
        const decibels = 10 * Math.log10(power + 1e-10);
        return Math.min(1, Math.max(0, (decibels + 55) / 45));
    }

    close(): void {
        void this.context.close().catch(() => {});
    }
}
