/** What a visit's link holds: `<prefix>/room/<session id>#token=<jwt>`. Pure. */

export interface Link {
    base: string; // What a gateway strips, "" without one: the API is at `${base}/api/video`.
    sessionId: string;
    token: string;
}

export interface Claims {
    userId: string;
    role: string;
    expiresAt: number | null; // Milliseconds.
    validFrom: number | null;
}

export function readLink(place: { pathname: string; hash: string }): Link | null {
    const mark = place.pathname.lastIndexOf('/room/');
    if (mark < 0) return null;
    const sessionId = decode(place.pathname.slice(mark + '/room/'.length).replace(/\/+$/, ''));
    const token = new URLSearchParams(place.hash.replace(/^#/, '')).get('token')?.trim() ?? '';
    if (!sessionId || sessionId.includes('/') || !token) return null;
    return { base: place.pathname.slice(0, mark), sessionId, token };
}

/** The token's own words. For display only: the service decides what it is worth. */
export function readClaims(token: string): Claims | null {
    const part = token.split('.')[1];
    if (!part) return null;
    try {
        const bytes = Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
        const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
        if (typeof claims !== 'object' || claims === null) return null;
        const { sub, user_id, role, exp, nbf } = claims as Record<string, unknown>;
        const time = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value * 1000 : null);
        return {
            userId: String(sub ?? user_id ?? ''),
            role: typeof role === 'string' ? role : '',
            expiresAt: time(exp),
            validFrom: time(nbf),
        };
    } catch {
        return null;
    }
}

function decode(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return '';
    }
}
