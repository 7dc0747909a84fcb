/** What the page says. Pure: problems and visits in, sentences out. */

import type { Role, Status, Visit } from './api';
import type { Claims } from './link';

/** Why somebody is not, or no longer, in the visit. */
export type Problem =
    | 'link' // Not a visit's link, or the service does not accept its token.
    | 'expired'
    | 'tooEarly'
    | 'tooLate'
    | 'notFound'
    | 'notYours'
    | 'cancelled'
    | 'completed'
    | 'missed'
    | 'refused' // The service said no, in words of its own.
    | 'network'
    | 'busy'
    | 'unsupported'
    | 'elsewhere'
    | 'removed'
    | 'full'
    | 'lost'
    | 'ended' // Ended while this person was in it.
    | 'left';

export type Remedy = 'retry' | 'rejoin' | null;

export interface Words {
    title: string;
    text: string;
    remedy: Remedy;
    mood: 'calm' | 'trouble';
}

export interface Context {
    role: Role | null;
    visit: Visit | null;
    claims: Claims | null;
    detail: string; // What the service said, where it said something.
    now: number;
}

export function describe(problem: Problem, about: Context): Words {
    const other = about.role === 'DOCTOR' ? 'the patient' : 'the doctor';
    const trouble = (title: string, text: string, remedy: Remedy = null): Words => ({ title, text, remedy, mood: 'trouble' });
    const calm = (title: string, text: string, remedy: Remedy = null): Words => ({ title, text, remedy, mood: 'calm' });
    switch (problem) {
        case 'link':
            return trouble('This link does not work', 'Open the link from your invitation again, or copy all of it. If it still does not work, ask for a new one.');
        case 'expired':
            return trouble('This link has expired', 'Links to a visit work for a limited time. Please ask for a new one.');
        case 'tooEarly': {
            const from = about.claims?.validFrom ?? null;
            const opens = from !== null && from > about.now ? from : about.visit ? Date.parse(about.visit.scheduled_start_time) : null;
            const when = opens === null ? 'Your visit is not open yet.' : `Your visit opens ${dayAndTime(opens, about.now)}.`;
            return calm('You are early', `${when} Come back then with the same link.`, 'retry');
        }
        case 'tooLate':
            return calm('This visit is over', 'Its time has passed. If you still need to talk, please book another visit.');
        case 'notFound':
            return trouble('No such visit', 'We could not find the visit this link belongs to. Please check the link, or ask for a new one.');
        case 'notYours':
            return trouble('This visit is for other people', 'Your link is valid, but not for this visit. Please use the link you were given for it.');
        case 'cancelled':
            return calm('This visit was cancelled', 'Nobody is waiting for you. If that is a surprise, please get in touch with your clinic.');
        case 'completed':
            return calm('This visit has ended', withLength('It was completed and cannot be joined again.', about.visit));
        case 'missed':
            return calm('This visit did not take place', 'Not everybody came, so it was closed. Please book another one.');
        case 'refused':
            return trouble('You cannot join this visit', about.detail || 'The service did not let you in. Please try again in a moment.', 'retry');
        case 'network':
            return trouble('We cannot reach the service', 'Please check your internet connection, then try again.', 'retry');
        case 'busy':
            return trouble('The service is busy', 'It cannot answer just now. Please try again in a moment.', 'retry');
        case 'unsupported':
            return trouble('This browser cannot make video calls', 'Please open the link in a current Chrome, Edge, Firefox or Safari, at an address that begins with https.');
        case 'elsewhere':
            return calm('You joined from another device', 'The visit goes on there. You can also bring it back to this device.', 'rejoin');
        case 'removed':
            return trouble('You were taken out of the visit', 'If you think that is a mistake, please get in touch with your clinic.');
        case 'full':
            return trouble('The visit is full', 'Nobody else can join just now. Please try again in a moment.', 'rejoin');
        case 'lost':
            return trouble('The connection was lost', `We tried for a while, without success. Please check your internet connection and join again; ${other} may still be there.`, 'rejoin');
        case 'ended':
            return calm('The visit has ended', withLength('Thank you for your time. You can close this page.', about.visit));
        case 'left':
            return calm('You left the visit', `It is not over: as long as it is open you can join again, for example if ${other} is waiting.`, 'rejoin');
    }
}

/** Why a visit in this state cannot be joined, or null. */
export function closedBecause(status: Status): Problem | null {
    switch (status) {
        case 'COMPLETED':
            return 'completed';
        case 'CANCELLED':
            return 'cancelled';
        case 'NO_SHOW':
            return 'missed';
        default:
            return null;
    }
}

/** What an unsuccessful answer of the service means. `status` 0: no answer. */
export function problemOfAnswer(status: number, claims: Claims | null, now: number): Problem {
    if (status === 0) return 'network';
    if (status === 401) {
        if (claims?.expiresAt != null && claims.expiresAt <= now) return 'expired';
        if (claims?.validFrom != null && claims.validFrom > now) return 'tooEarly';
        return 'link';
    }
    if (status === 403) return 'notYours';
    if (status === 404) return 'notFound';
    if (status === 429 || status >= 500) return 'busy';
    return 'refused';
}

/** A join that was refused although the visit is open: before its time, after it, or for a reason of the service's own. */
export function problemOfRefusal(visit: Visit, now: number): Problem {
    const closed = closedBecause(visit.status);
    if (closed) return closed;
    if (now < Date.parse(visit.scheduled_start_time)) return 'tooEarly';
    if (now > Date.parse(visit.scheduled_end_time) && visit.status === 'SCHEDULED') return 'tooLate';
    return 'refused';
}

/** What the end of a meeting means, by the client library's status codes. */
export function problemOfMeeting(code: number): Problem {
    switch (code) {
        case 1:
            return 'left';
        case 2:
            return 'elsewhere';
        case 4:
        case 10:
            return 'full';
        case 3: // The join token died: with the meeting, or with the attendee.
        case 5:
            return 'ended';
        case 22:
            return 'removed';
        default:
            return 'lost';
    }
}

export type DeviceTrouble = 'refused' | 'missing' | 'busy' | 'failed';

/** By the name of what getUserMedia (or the client library) threw. */
export function deviceTrouble(error: unknown): DeviceTrouble {
    const name = error instanceof Error || error instanceof DOMException ? error.name : '';
    if (/NotAllowed|PermissionDenied|SecurityError/.test(name)) return 'refused';
    if (/NotFound|Overconstrained/.test(name)) return 'missing';
    if (/NotReadable|AbortError/.test(name)) return 'busy';
    return 'failed';
}

export function deviceWords(kind: 'camera' | 'microphone' | 'both', trouble: DeviceTrouble): string {
    const effect = {
        camera: 'You can join without being seen.',
        microphone: 'You can join, but nobody will hear you.',
        both: 'You can join, but nobody will see or hear you.',
    }[kind];
    const name = kind === 'both' ? 'camera and microphone' : kind;
    switch (trouble) {
        case 'refused':
            return `The browser may not use your ${name}. Allow it in the address bar, then try again. ${effect}`;
        case 'missing':
            return `No ${name} was found. Connect one, then try again. ${effect}`;
        case 'busy':
            return `Another program uses your ${name}. Close it, then try again. ${effect}`;
        case 'failed':
            return `Your ${name} did not start. ${effect}`;
    }
}

/** "Doctor 12"; without a number that people use: "the doctor". */
export function nameOf(role: Role, visit: Visit | null): string {
    const id = (role === 'DOCTOR' ? visit?.doctor_id : visit?.patient_id) ?? '';
    const isNumber = /^\d{1,12}$/.test(id);
    if (role === 'DOCTOR') return isNumber ? `Doctor\u00a0${id}` : 'the doctor';
    return isNumber ? `Patient\u00a0${id}` : 'the patient';
}

export function otherRole(role: Role | null): Role {
    return role === 'DOCTOR' ? 'PATIENT' : 'DOCTOR';
}

/** At the beginning of a sentence or a label. */
export function capital(text: string): string {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "today at 14:00", "on Sun 26 Jan at 14:00". */
export function dayAndTime(time: number, now: number): string {
    return `${day(time, now)} at ${clock(time)}`;
}

export function clock(time: number): string {
    return new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' }).format(time);
}

function day(time: number, now: number): string {
    const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
    const days = Math.round((midnight(time) - midnight(now)) / 86_400_000);
    if (days === 0) return 'today';
    if (days === 1) return 'tomorrow';
    if (days === -1) return 'yesterday';
    return `on ${new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' }).format(time)}`;
}

/** The planned time of a visit: "Today, 14:00 – 14:30". */
export function schedule(visit: Visit, now: number): string {
    const start = Date.parse(visit.scheduled_start_time);
    const text = day(start, now).replace(/^on /, '');
    return `${capital(text)}, ${clock(start)} – ${clock(Date.parse(visit.scheduled_end_time))}`;
}

/** How the visit's time relates to now: "Starts in 12 minutes", "Planned for 3 minutes ago". */
export function countdown(visit: Visit, now: number): string {
    const start = Date.parse(visit.scheduled_start_time);
    const away = Math.round((start - now) / 60_000);
    if (away > 0) return `Starts in ${span(away)}`;
    if (away === 0) return 'Starts now';
    if (now > Date.parse(visit.scheduled_end_time)) return 'The planned time has passed';
    return `Planned for ${span(-away)} ago`;
}

function span(minutes: number): string {
    const plural = (n: number, unit: string) => `${n} ${unit}${n === 1 ? '' : 's'}`;
    if (minutes < 60) return plural(minutes, 'minute');
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return minutes % 60 ? `${plural(hours, 'hour')} ${plural(minutes % 60, 'minute')}` : plural(hours, 'hour');
    return plural(Math.round(hours / 24), 'day');
}

/** 3:07, 1:02:45. */
export function stopwatch(milliseconds: number): string {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    const two = (n: number) => String(n).padStart(2, '0');
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function withLength(text: string, visit: Visit | null): string {
    const minutes = visit?.duration_minutes;
    return minutes ? `It lasted ${span(minutes)}. ${text}` : text;
}
