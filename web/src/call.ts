/** One stay in a meeting, on the Chime client library: tells the page what happens, does what the person wants. */

import {
    type AudioVideoFacade,
    type AudioVideoObserver,
    type DefaultDeviceController,
    DefaultMeetingSession,
    MeetingSessionConfiguration,
    type MeetingSessionStatus,
    NoOpLogger,
    type VideoTileState,
} from 'amazon-chime-sdk-js';
import type { Pass } from './api';
import type { Event } from './state';
import { problemOfMeeting } from './words';

export interface Elements {
    audio: HTMLAudioElement;
    localVideo: HTMLVideoElement;
    remoteVideo: HTMLVideoElement;
}

const kSpeaking = 0.08; // Volume above which somebody is said to be speaking.
const kStopPatience = 2000;

export class Call implements AudioVideoObserver {
    private readonly audioVideo: AudioVideoFacade;
    private readonly me: string;
    private readonly others = new Set<string>();
    private remoteTile: number | null = null;
    private cameraOn = false;
    private over = false;
    private ended: Promise<void> | null = null;
    private stopped: () => void = () => {};
    private readonly hasStopped = new Promise<void>((resolve) => (this.stopped = resolve));

    constructor(
        pass: Pass,
        devices: DefaultDeviceController,
        private readonly elements: Elements,
        private readonly tell: (event: Event) => void,
    ) {
        const { media_placement: place, attendee } = pass;
        const configuration = new MeetingSessionConfiguration(
            {
                MeetingId: pass.meeting_id,
                ExternalMeetingId: pass.external_meeting_id,
                MediaRegion: pass.media_region,
                MediaPlacement: {
                    AudioHostUrl: place.audio_host_url,
                    AudioFallbackUrl: place.audio_fallback_url,
                    SignalingUrl: place.signaling_url,
                    TurnControlUrl: place.turn_control_url,
                },
            },
            { AttendeeId: attendee.attendee_id, ExternalUserId: attendee.external_user_id, JoinToken: attendee.join_token },
        );
        this.me = attendee.attendee_id;
        this.audioVideo = new DefaultMeetingSession(configuration, new NoOpLogger(), devices).audioVideo;
        this.audioVideo.addObserver(this);
        this.audioVideo.realtimeSubscribeToAttendeeIdPresence((id, present) => this.presenceChanged(id, present));
        this.audioVideo.realtimeSubscribeToVolumeIndicator(this.me, (_id, volume) => {
            if (volume !== null) tell({ type: 'voice', speaking: volume > kSpeaking });
        });
    }

    start(muted: boolean, camera: boolean): void {
        this.cameraOn = camera;
        if (muted) this.audioVideo.realtimeMuteLocalAudio();
        this.audioVideo.bindAudioElement(this.elements.audio).catch(() => this.tell({ type: 'notice', notice: 'sound' }));
        this.audioVideo.start();
    }

    setMuted(muted: boolean): void {
        if (muted) this.audioVideo.realtimeMuteLocalAudio();
        else this.audioVideo.realtimeUnmuteLocalAudio();
    }

    /** The camera itself has been started, or will be stopped, by the caller. */
    setCamera(on: boolean): void {
        this.cameraOn = on;
        if (on) this.audioVideo.startLocalVideoTile();
        else this.audioVideo.stopLocalVideoTile();
    }

    /** Ends this stay; resolves when the meeting server has said goodbye, or a little later. */
    stop(): Promise<void> {
        this.ended ??= this.end();
        return this.ended;
    }

    private async end(): Promise<void> {
        this.over = true;
        this.audioVideo.stop();
        await Promise.race([this.hasStopped, new Promise((resolve) => setTimeout(resolve, kStopPatience))]);
        this.audioVideo.unbindAudioElement();
    }

    audioVideoDidStartConnecting(reconnecting: boolean): void {
        if (reconnecting) this.tell({ type: 'reconnecting' });
    }

    audioVideoDidStart(): void {
        if (this.cameraOn) this.audioVideo.startLocalVideoTile();
        this.tell({ type: 'connected', now: Date.now() });
    }

    audioVideoDidStop(status: MeetingSessionStatus): void {
        this.stopped();
        if (this.over) return;
        this.over = true;
        this.tell({ type: 'over', problem: problemOfMeeting(status.statusCode()) });
    }

    videoTileDidUpdate(tile: VideoTileState): void {
        if (tile.tileId === null || tile.isContent) return;
        if (tile.localTile) {
            this.audioVideo.bindVideoElement(tile.tileId, this.elements.localVideo);
            return;
        }
        if (!tile.boundAttendeeId) return;
        this.remoteTile = tile.tileId;
        this.audioVideo.bindVideoElement(tile.tileId, this.elements.remoteVideo);
        this.tell({ type: 'remoteVideo', on: tile.active && !tile.paused });
    }

    videoTileWasRemoved(tileId: number): void {
        if (tileId !== this.remoteTile) return;
        this.remoteTile = null;
        this.tell({ type: 'remoteVideo', on: false });
    }

    videoSendDidBecomeUnavailable(): void {
        this.cameraOn = false;
        this.tell({ type: 'want', kind: 'camera', on: false });
        this.tell({ type: 'notice', notice: 'videoRefused' });
    }

    connectionDidBecomePoor(): void {
        this.tell({ type: 'notice', notice: 'poor' });
    }

    connectionDidSuggestStopVideo(): void {
        this.tell({ type: 'notice', notice: 'poor' });
    }

    connectionDidBecomeGood(): void {
        this.tell({ type: 'notice', notice: null });
    }

    private presenceChanged(id: string, present: boolean): void {
        if (id === this.me || id.includes('#')) return;
        if (present === this.others.has(id)) return;
        if (present) {
            this.others.add(id);
            let muted = false;
            this.audioVideo.realtimeSubscribeToVolumeIndicator(id, (_id, volume, mute) => {
                muted = mute ?? muted;
                this.tell({ type: 'remoteVoice', muted, speaking: (volume ?? 0) > kSpeaking });
            });
        } else {
            this.others.delete(id);
            this.audioVideo.realtimeUnsubscribeFromVolumeIndicator(id);
        }
        this.tell({ type: 'presence', present: this.others.size > 0 });
    }
}
