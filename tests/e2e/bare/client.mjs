// All that a Chime application minimally does, driven from the tests through `window.client`.
import {
    AudioProfile,
    DefaultDeviceController,
    DefaultMeetingSession,
    MeetingSessionConfiguration,
    MeetingSessionStatusCode,
    NoOpLogger,
    ServerSideNetworkAdaption,
    TargetDisplaySize,
    VideoCodecCapability,
    VideoPreference,
    VideoPreferences,
    VideoPriorityBasedPolicy,
    VideoPriorityBasedPolicyConfig,
} from 'amazon-chime-sdk-js';

const events = [];
const devices = new DefaultDeviceController(new NoOpLogger());
let audioVideo;
let policy;
let ready = null;
let ear = null;
const noises = {};

function record(name, ...values) {
    events.push({ name, values, at: performance.now() });
}

/** The first picture of somebody else stands in the page's own element, each further one gets an element of its own. */
function screen(tile) {
    if (tile.localTile) return document.getElementById('local');
    const main = document.getElementById('remote');
    if (!main.dataset.tile) {
        main.dataset.tile = tile.tileId;
        return main;
    }
    const more = document.createElement('video');
    more.autoplay = true;
    more.muted = true;
    more.dataset.tile = tile.tileId;
    document.body.append(more);
    return more;
}

const observer = {
    audioVideoDidStartConnecting: (reconnecting) => record('connecting', reconnecting),
    audioVideoDidStart: () => record('started'),
    audioVideoDidStop: (status) => record('stopped', MeetingSessionStatusCode[status.statusCode()]),
    videoTileDidUpdate: (tile) => {
        if (!tile.localTile && !tile.boundAttendeeId) return;
        if (!tile.boundVideoElement) audioVideo.bindVideoElement(tile.tileId, screen(tile));
        if (tile.localTile) return;
        if (tile.active) record('tile', tile.boundAttendeeId);
        record('tileState', tile.boundAttendeeId, { paused: tile.paused, poor: tile.poorConnection, active: tile.active, content: tile.isContent });
    },
    videoTileWasRemoved: (id) => {
        for (const element of document.querySelectorAll(`[data-tile="${id}"]`)) delete element.dataset.tile;
        record('tileRemoved', id);
    },
    remoteVideoSourcesDidChange: (sources) => record('sources', sources.map((source) => source.attendee.attendeeId)),
    videoAvailabilityDidChange: (availability) => record('availability', availability.canStartLocalVideo),
    videoSendDidBecomeUnavailable: () => record('cameraRefused'),
    connectionDidBecomePoor: () => record('poor'),
    connectionDidSuggestStopVideo: () => record('suggestStopVideo'),
    contentShareDidStart: () => record('shareStarted'),
    contentShareDidStop: () => record('shareStopped'),
    contentShareDidPause: () => record('sharePaused'),
};

/** The two objects that the client is made from, out of what POST /join said or out of what the SDK's API said. */
function passOf(answer) {
    if (answer.Meeting) return answer;
    const place = answer.media_placement;
    return {
        Meeting: {
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
        Attendee: { AttendeeId: answer.attendee.attendee_id, ExternalUserId: answer.attendee.external_user_id, JoinToken: answer.attendee.join_token },
    };
}

/** A voice that can be told from others: a tone that comes and goes as syllables do. `pan`: −1 only left, 1 only right. */
function toneStream(frequency, pan) {
    const context = new AudioContext({ sampleRate: 48000 });
    const out = new MediaStreamAudioDestinationNode(context, { channelCount: pan === undefined ? 1 : 2 });
    const loud = new GainNode(context, { gain: 0.2 });
    const syllables = new OscillatorNode(context, { frequency: 3 });
    syllables.connect(new GainNode(context, { gain: 0.1 })).connect(loud.gain);
    const voice = new OscillatorNode(context, { frequency });
    const end = pan === undefined ? loud : new StereoPannerNode(context, { pan });
    voice.connect(loud);
    if (end !== loud) loud.connect(end);
    end.connect(out);
    voice.start();
    syllables.start();
    noises[frequency] = context;
    return out.stream;
}

/** A picture that changes all the time, as a shared screen. */
function drawnStream(width, height) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const pen = canvas.getContext('2d');
    let turn = 0;
    setInterval(() => {
        turn += 1;
        pen.fillStyle = `hsl(${turn % 360} 60% 50%)`;
        pen.fillRect(0, 0, width, height);
        pen.fillStyle = 'white';
        pen.fillRect((turn * 7) % width, height / 3, 40, 40);
    }, 66);
    return canvas.captureStream(15);
}

/** A picture with so much going on that its quality takes about a megabit a second. */
function noisyStream(width, height) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const pen = canvas.getContext('2d');
    setInterval(() => {
        pen.fillStyle = '#456';
        pen.fillRect(0, 0, width, height);
        for (let i = 0; i < 40; ++i) {
            pen.fillStyle = `rgb(${Math.random() * 255} ${Math.random() * 255} ${Math.random() * 255})`;
            pen.fillRect(Math.random() * width, Math.random() * height, 24, 24);
        }
    }, 66);
    return canvas.captureStream(15);
}

window.client = {
    events,

    /** Starts microphone and camera, as an application does while a person looks at its preview. */
    ready(wishes) {
        ready ??= this.startDevices(wishes);
        return ready;
    },

    async startDevices({ camera = true, size, tone, noisy = false } = {}) {
        const [[microphone], [eye]] = await Promise.all([devices.listAudioInputDevices(), devices.listVideoInputDevices()]);
        if (size) devices.chooseVideoInputQuality(...size);
        await devices.startAudioInput(tone ? toneStream(tone) : microphone.deviceId);
        if (camera) await devices.startVideoInput(noisy ? noisyStream(size[0], size[1]) : eye.deviceId);
    },

    /**
     * `answer`: what POST /join said, as it is, or `{ Meeting, Attendee }` of the SDK's API. `tone`: the voice's frequency;
     * `size`: of the camera [width, height, frames a second]; `adaptive`: with the policy that has wishes and leaves
     * adaptation to the server, or, when it says `client`, to nobody but itself; `noisy`: a picture that takes some rate;
     * `stereo`: sends and hears both channels.
     */
    async join(answer, { camera = true, codecs = [], size, tone, noisy = false, stereo = false, simulcast = false, svc = false, adaptive = false } = {}) {
        const { Meeting, Attendee } = passOf(answer);
        const configuration = new MeetingSessionConfiguration(Meeting, Attendee);
        const logger = new NoOpLogger();
        configuration.enableSimulcastForUnifiedPlanChromiumBasedBrowsers = simulcast;
        configuration.enableSVC = svc;
        if (adaptive) {
            const manner = new VideoPriorityBasedPolicyConfig();
            if (adaptive === 'client') manner.serverSideNetworkAdaption = ServerSideNetworkAdaption.None;
            policy = new VideoPriorityBasedPolicy(logger, manner);
            configuration.videoDownlinkBandwidthPolicy = policy;
        }
        await this.ready({ camera, size, tone, noisy });
        audioVideo = new DefaultMeetingSession(configuration, logger, devices).audioVideo;
        if (stereo) {
            audioVideo.setAudioProfile(AudioProfile.fullbandMusicStereo());
            audioVideo.setContentAudioProfile(AudioProfile.fullbandMusicStereo());
        }
        if (svc) audioVideo.enableSVCForContentShare(true);
        audioVideo.addContentShareObserver(observer);
        for (const topic of ['chat', 'notes']) {
            audioVideo.realtimeSubscribeToReceiveDataMessage(topic, (message) => {
                record('message', message.topic, message.text(), message.senderAttendeeId, message.senderExternalUserId, message.throttled, message.timestampMs);
            });
        }
        audioVideo.transcriptionController?.subscribeToTranscriptEvent(({ type, message, transcriptionRegion }) => record('transcript', type, message, transcriptionRegion));
        audioVideo.addObserver(observer);
        if (codecs.length) audioVideo.setVideoCodecSendPreferences(codecs.map((name) => VideoCodecCapability[name]()));
        audioVideo.realtimeSubscribeToAttendeeIdPresence((id, present, user, dropped) => {
            record('presence', id, present, user, dropped);
            if (!present) return;
            audioVideo.realtimeSubscribeToVolumeIndicator(id, (_id, volume, muted, signal) => {
                if (muted !== null) record('muted', id, muted);
                if (volume) record('volume', id, volume);
                if (signal !== null) record('signal', id, signal);
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

    /** Shares a drawn screen; with `tone` also its sound, on one side only when `pan` says so. */
    async share({ width = 640, height = 360, tone, pan } = {}) {
        const stream = drawnStream(width, height);
        if (tone) stream.addTrack(toneStream(tone, pan).getAudioTracks()[0]);
        await audioVideo.startContentShare(stream);
    },

    unshare() {
        audioVideo.stopContentShare();
    },

    say(topic, text, lifetime) {
        audioVideo.realtimeSendDataMessage(topic, text, lifetime);
    },

    tileOf(attendee) {
        return audioVideo.getAllRemoteVideoTiles().find((tile) => tile.state().boundAttendeeId === attendee);
    },

    pause(attendee, on) {
        const id = this.tileOf(attendee).id();
        if (on) audioVideo.pauseVideoTile(id);
        else audioVideo.unpauseVideoTile(id);
    },

    /** `wishes`: [attendee, priority, 'Low' | 'Medium' | 'High'][]; who is not in it is not wanted. */
    prefer(wishes) {
        const preferences = VideoPreferences.prepare();
        for (const [attendee, priority, size] of wishes) preferences.add(new VideoPreference(attendee, priority, TargetDisplaySize[size]));
        policy.chooseRemoteVideoSources(preferences.build());
    },

    /** Of each person's picture: how it comes now. */
    async pictures() {
        const list = {};
        for (const tile of audioVideo.getAllRemoteVideoTiles()) {
            const { boundAttendeeId, boundVideoStream } = tile.state();
            const track = boundVideoStream?.getVideoTracks()[0];
            for (const peer of window.peers) {
                if (peer.connectionState === 'closed') continue;
                const receiver = peer.getReceivers().find((one) => one.track === track);
                if (!receiver) continue;
                for (const entry of (await receiver.getStats()).values()) {
                    if (entry.type !== 'inbound-rtp') continue;
                    list[boundAttendeeId] = {
                        width: entry.frameWidth ?? 0,
                        height: entry.frameHeight ?? 0,
                        frames: entry.framesDecoded ?? 0,
                        freezes: entry.freezeCount ?? 0,
                        frozen: entry.totalFreezesDuration ?? 0,
                        lost: entry.packetsLost ?? 0,
                        nacks: entry.nackCount ?? 0,
                        plis: entry.pliCount ?? 0,
                        keyFrames: entry.keyFramesDecoded ?? 0,
                    };
                }
            }
        }
        return list;
    },

    /** How loud each of these tones is in what is played, in dB over what lies beside it; by channel. */
    async hearing(tones) {
        const stream = document.getElementById('audio').srcObject;
        if (ear?.stream !== stream) {
            await ear?.context.close();
            const context = new AudioContext({ sampleRate: 48000 });
            const split = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
            const sides = [0, 1].map((side) => {
                const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0.3 });
                split.connect(analyser, side);
                return analyser;
            });
            new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(split);
            ear = { stream, context, sides };
            await new Promise((done) => setTimeout(done, 500));
        }
        return ear.sides.map((analyser) => {
            const spectrum = new Float32Array(analyser.frequencyBinCount);
            analyser.getFloatFrequencyData(spectrum);
            const at = (frequency) => {
                const bin = Math.round((frequency * analyser.fftSize) / 48000);
                return Math.max(...spectrum.slice(bin - 2, bin + 3));
            };
            return Object.fromEntries(tones.map((tone) => [tone, at(tone) - Math.max(at(tone * 0.93), at(tone * 1.07), -110)]));
        });
    },
};
