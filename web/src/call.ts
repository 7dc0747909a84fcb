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
import type { ApiError, Pass } from './api';
import { Search } from './search';
import type { Event } from './state';
import { problemOfMeeting } from './words';

export interface Elements {
    audio: HTMLAudioElement;
    localVideo: HTMLVideoElement;
    remoteVideo: HTMLVideoElement;
}

const kSpeaking = 0.08; // Volume above which somebody is said to be speaking.
const kStopPatience = 2000;
/** A connection that takes longer than this may be to a node of the service that is not there any more. */
const kConnectPatience = 3000;
/** After a move, for the other person to arrive as well. */
const kArrivalPatience = 10_000;

/** What a call needs of the service. */
export interface Service {
    rejoin: () => Promise<Pass>;
    refused: (error: ApiError) => void;
}

export class Call implements AudioVideoObserver {
    private audioVideo: AudioVideoFacade;
    private readonly search: Search;
    private readonly me: string;
    private readonly others = new Set<string>();
    private remoteTile: number | null = null;
    private muted = false;
    private cameraOn = false;
    private arrival: ReturnType<typeof setTimeout> | undefined;
    private over = false;
    private ended: Promise<void> | null = null;
    private stopped: () => void = () => {};
    private readonly hasStopped = new Promise<void>((resolve) => (this.stopped = resolve));

    constructor(
        pass: Pass,
        private readonly devices: DefaultDeviceController,
        private readonly elements: Elements,
        private readonly tell: (event: Event) => void,
        service: Service,
    ) {
        this.me = pass.attendee.attendee_id;
        this.audioVideo = this.open(pass);
        this.search = new Search(pass.media_placement.signaling_url, {
            ask: service.rejoin,
            moved: (to) => this.move(to),
            refused: service.refused,
        });
    }

    /** A session at the place that the pass names, not yet started. */
    private open(pass: Pass): AudioVideoFacade {
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
        const audioVideo = new DefaultMeetingSession(configuration, new NoOpLogger(), this.devices).audioVideo;
        audioVideo.addObserver(this);
        audioVideo.realtimeSubscribeToAttendeeIdPresence((id, present) => {
            if (audioVideo === this.audioVideo) this.presenceChanged(id, present);
        });
        audioVideo.realtimeSubscribeToVolumeIndicator(this.me, (_id, volume) => {
            if (volume !== null && audioVideo === this.audioVideo) this.tell({ type: 'voice', speaking: volume > kSpeaking });
        });
        return audioVideo;
    }

    start(muted: boolean, camera: boolean): void {
        this.muted = muted;
        this.cameraOn = camera;
        this.connect();
    }

    private connect(): void {
        if (this.muted) this.audioVideo.realtimeMuteLocalAudio();
        this.audioVideo.bindAudioElement(this.elements.audio).catch(() => this.tell({ type: 'notice', notice: 'sound' }));
        this.audioVideo.start();
        this.search.begin(kConnectPatience);
    }

    /** The meeting lives at another node now. The library keeps to the address it was made with, so it is made anew. */
    private move(pass: Pass): void {
        if (this.over) return;
        const before = this.audioVideo;
        before.removeObserver(this);
        for (const id of this.others) before.realtimeUnsubscribeFromVolumeIndicator(id);
        // What the old session lets go of later must not be what the new one shows.
        for (const tile of before.getAllVideoTiles()) {
            const { tileId } = tile.state();
            if (tileId !== null) before.unbindVideoElement(tileId);
        }
        before.unbindAudioElement();
        // It may be waiting for a node that is gone; nothing waits for it.
        before.stop();
        this.others.clear();
        this.remoteTile = null;
        this.tell({ type: 'remoteVideo', on: false });
        this.audioVideo = this.open(pass);
        this.connect();
        clearTimeout(this.arrival);
        this.arrival = setTimeout(() => {
            if (!this.over) this.tell({ type: 'presence', present: this.others.size > 0 });
        }, kArrivalPatience);
    }

    setMuted(muted: boolean): void {
        this.muted = muted;
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
        this.finish();
        this.audioVideo.stop();
        await Promise.race([this.hasStopped, new Promise((resolve) => setTimeout(resolve, kStopPatience))]);
        this.audioVideo.unbindAudioElement();
    }

    audioVideoDidStartConnecting(reconnecting: boolean): void {
        if (!reconnecting) return;
        this.tell({ type: 'reconnecting' });
        this.search.begin();
    }

    private finish(): void {
        this.over = true;
        this.search.end();
        clearTimeout(this.arrival);
    }

    audioVideoDidStart(): void {
        this.search.end();
        if (this.cameraOn) this.audioVideo.startLocalVideoTile();
        this.tell({ type: 'connected', now: Date.now() });
    }

    audioVideoDidStop(status: MeetingSessionStatus): void {
        this.stopped();
        if (this.over) return;
        this.finish();
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
