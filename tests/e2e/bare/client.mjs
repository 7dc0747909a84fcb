// All that a Chime application minimally does, driven from the tests through `window.client`.
import {
    DefaultDeviceController,
    DefaultMeetingSession,
    MeetingSessionConfiguration,
    MeetingSessionStatusCode,
    NoOpLogger,
    VideoCodecCapability,
} from 'amazon-chime-sdk-js';

const events = [];
const devices = new DefaultDeviceController(new NoOpLogger());
let audioVideo;
let ready = null;

function record(name, ...values) {
    events.push({ name, values, at: performance.now() });
}

const observer = {
    audioVideoDidStartConnecting: (reconnecting) => record('connecting', reconnecting),
    audioVideoDidStart: () => record('started'),
    audioVideoDidStop: (status) => record('stopped', MeetingSessionStatusCode[status.statusCode()]),
    videoTileDidUpdate: (tile) => {
        if (!tile.localTile && !tile.boundAttendeeId) return;
        if (!tile.boundVideoElement) {
            audioVideo.bindVideoElement(tile.tileId, document.getElementById(tile.localTile ? 'local' : 'remote'));
        }
        if (!tile.localTile && tile.active) record('tile', tile.boundAttendeeId);
    },
    videoTileWasRemoved: (id) => record('tileRemoved', id),
    remoteVideoSourcesDidChange: (sources) => record('sources', sources.map((source) => source.attendee.attendeeId)),
};

window.client = {
    events,

    /** Starts microphone and camera, as an application does while a person looks at its preview. */
    ready() {
        ready ??= this.startDevices();
        return ready;
    },

    async startDevices() {
        const [[microphone], [camera]] = await Promise.all([devices.listAudioInputDevices(), devices.listVideoInputDevices()]);
        await devices.startAudioInput(microphone.deviceId);
        await devices.startVideoInput(camera.deviceId);
    },

    /** `answer`: what POST /join said, as it is. */
    async join(answer, { camera = true, codecs = [] } = {}) {
        const place = answer.media_placement;
        const configuration = new MeetingSessionConfiguration(
            {
                MeetingId: answer.meeting_id,
                ExternalMeetingId: answer.external_meeting_id,
                MediaRegion: answer.media_region,
                MediaPlacement: {
                    AudioHostUrl: place.audio_host_url,
                    AudioFallbackUrl: place.audio_fallback_url,
                    SignalingUrl: place.signaling_url,
                    TurnControlUrl: place.turn_control_url,
                },
            },
            { AttendeeId: answer.attendee.attendee_id, ExternalUserId: answer.attendee.external_user_id, JoinToken: answer.attendee.join_token },
        );
        await this.ready();
        audioVideo = new DefaultMeetingSession(configuration, new NoOpLogger(), devices).audioVideo;
        audioVideo.addObserver(observer);
        if (codecs.length) audioVideo.setVideoCodecSendPreferences(codecs.map((name) => VideoCodecCapability[name]()));
        audioVideo.realtimeSubscribeToAttendeeIdPresence((id, present, user) => {
            record('presence', id, present, user);
            if (!present) return;
            audioVideo.realtimeSubscribeToVolumeIndicator(id, (_id, volume, muted) => {
                if (muted !== null) record('muted', id, muted);
                if (volume) record('volume', id, volume);
            });
        });
        await audioVideo.bindAudioElement(document.getElementById('audio'));
        audioVideo.start();
        if (camera) audioVideo.startLocalVideoTile();
        else await audioVideo.stopVideoInput();
    },

    async camera(on) {
        if (on) {
            const [camera] = await audioVideo.listVideoInputDevices();
            await audioVideo.startVideoInput(camera.deviceId);
            audioVideo.startLocalVideoTile();
        } else {
            audioVideo.stopLocalVideoTile();
            await audioVideo.stopVideoInput();
        }
    },

    mute(on) {
        if (on) audioVideo.realtimeMuteLocalAudio();
        else audioVideo.realtimeUnmuteLocalAudio();
    },

    leave() {
        audioVideo.stop();
    },
};
