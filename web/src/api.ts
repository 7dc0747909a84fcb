/** The service's REST API, as far as a visit needs it. */

import type { Link } from './link';

export type Status = 'SCHEDULED' | 'WAITING' | 'ACTIVE' | 'COMPLETED' | 'CANCELLED' | 'NO_SHOW';
export type Role = 'DOCTOR' | 'PATIENT';

export interface Visit {
    session_id: string;
    booking_type: string;
    doctor_id: string;
    patient_id: string;
    status: Status;
    scheduled_start_time: string;
    scheduled_end_time: string;
    chief_complaint: string | null;
    session_notes: string | null;
    duration_minutes?: number | null;
    attendees?: { user_id: string; role: Role; connected: boolean; left_at: string | null }[];
}

export interface Pass {
    meeting_id: string;
    external_meeting_id: string;
    media_region: string;
    media_placement: {
        audio_host_url: string;
        audio_fallback_url: string;
        signaling_url: string;
        turn_control_url: string;
    };
    attendee: { attendee_id: string; external_user_id: string; join_token: string; role: Role };
}

/** An answer that is not a success; status 0 means that no answer came. */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly detail: string,
    ) {
        super(`${status} ${detail}`);
    }
}

const kPatience = 15_000;

export class Api {
    private readonly root: string;

    constructor(private readonly link: Link) {
        this.root = `${link.base}/api/video/sessions/${encodeURIComponent(link.sessionId)}`;
    }

    visit(): Promise<Visit> {
        return this.ask('GET', '');
    }

    join(deviceType: string, browserInfo: string): Promise<Pass> {
        return this.ask('POST', '/join', { device_type: deviceType, browser_info: browserInfo });
    }

    end(rating: number | null, notes: string): Promise<Visit> {
        const body: Record<string, unknown> = {};
        if (rating) body['connection_quality_rating'] = rating;
        if (notes) body['session_notes'] = notes;
        return this.ask('POST', '/end', body);
    }

    leave(): Promise<Visit> {
        return this.ask('POST', '/leave');
    }

    /** For a page that is going away: the request outlives it, nobody reads the answer. */
    leaveForGood(): void {
        void fetch(`${this.root}/leave`, { method: 'POST', headers: this.headers(), keepalive: true }).catch(() => {});
    }

    private headers(): Record<string, string> {
        return { Authorization: `Bearer ${this.link.token}` };
    }

    private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
        const headers = this.headers();
        if (body !== undefined) headers['Content-Type'] = 'application/json';
        let answer: Response;
        try {
            answer = await fetch(this.root + path, {
                method,
                headers,
                cache: 'no-store',
                ...(body === undefined ? {} : { body: JSON.stringify(body) }),
                signal: AbortSignal.timeout(kPatience),
            });
        } catch {
            throw new ApiError(0, '');
        }
        const text = await answer.text().catch(() => '');
        const value = parse(text) as { detail?: unknown } | null;
        if (!answer.ok || value === null) {
            throw new ApiError(answer.ok ? 502 : answer.status, typeof value?.detail === 'string' ? value.detail : '');
        }
        return value as T;
    }
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}
