// Meetings of any number, made through the service's own Chime API with AWS's client.
import { createRequire } from 'node:module';
import { Service } from './service.mjs';

const { ChimeSDKMeetings } = createRequire(new URL('../../lib/server.js', import.meta.url))('@aws-sdk/client-chime-sdk-meetings');

const kKey = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-for-tests-only' };

export class SdkMeetings {
    static async create(env = {}, place = {}) {
        const meetings = new SdkMeetings();
        meetings.service = await Service.create({ CHIME_API_KEYS: `${kKey.accessKeyId}:${kKey.secretAccessKey}`, ...env }, place);
        meetings.api = new ChimeSDKMeetings({ region: 'us-east-1', endpoint: `${meetings.service.url}/chime`, credentials: kKey });
        return meetings;
    }

    async meeting(more = {}) {
        const { Meeting } = await this.api.createMeeting({ MediaRegion: 'us-east-1', ExternalMeetingId: 'a meeting', ...more });
        return {
            id: Meeting.MeetingId,
            pass: async (name, capabilities) => {
                const { Attendee } = await this.api.createAttendee({ MeetingId: Meeting.MeetingId, ExternalUserId: name, Capabilities: capabilities });
                return { Meeting, Attendee };
            },
            end: () => this.api.deleteMeeting({ MeetingId: Meeting.MeetingId }),
            remove: (attendee) => this.api.deleteAttendee({ MeetingId: Meeting.MeetingId, AttendeeId: attendee }),
            transcribe: () =>
                this.api.startMeetingTranscription({
                    MeetingId: Meeting.MeetingId,
                    TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US', Region: 'auto' } },
                }),
            allow: (attendee, capabilities) => this.api.updateAttendeeCapabilities({ MeetingId: Meeting.MeetingId, AttendeeId: attendee, Capabilities: capabilities }),
        };
    }

    dispose() {
        return this.service.dispose();
    }
}
