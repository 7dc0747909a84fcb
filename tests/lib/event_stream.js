// A reader of server-sent events (HTML standard, section 9.2), as a page makes one of fetch.
import assert from 'node:assert/strict';
import http from 'node:http';
import { eventually } from './world.js';

export class EventStream {
    /**
     * @param {string} url
     * @param {{ token?: string, lastEventId?: string, headers?: Record<string, string> }} [options]
     * @returns {Promise<EventStream>} when the head of the answer is there.
     */
    static open(url, { token, lastEventId, headers = {} } = {}) {
        const stream = new EventStream();
        /** @type {{ event: string, id?: string, data: any }[]} */
        stream.events = [];
        stream.comments = 0;
        stream.lastEventId = lastEventId;
        stream.text = '';
        stream.ended = false;
        return new Promise((resolve, reject) => {
            stream.request = http.get(url, {
                agent: false,
                headers: {
                    ...(token ? { Authorization: `Bearer ${token}` } : {}),
                    ...(lastEventId ? { 'Last-Event-ID': lastEventId } : {}),
                    ...headers,
                },
            });
            stream.request.on('error', (error) => {
                stream.ended = true;
                stream.broken = error;
                reject(error);
            });
            stream.request.on('response', (response) => {
                stream.response = response;
                stream.status = response.statusCode;
                stream.headers = response.headers;
                response.setEncoding('utf8');
                response.on('data', (text) => stream.take(text));
                response.on('end', () => (stream.ended = true));
                response.on('error', (error) => {
                    stream.ended = true;
                    stream.broken = error;
                });
                resolve(stream);
            });
        });
    }

    take(text) {
        this.text += text;
        for (;;) {
            const end = this.text.indexOf('\n\n');
            if (end < 0 || this.status !== 200) return;
            const lines = this.text.slice(0, end).split('\n');
            this.text = this.text.slice(end + 2);
            const event = {};
            for (const line of lines) {
                if (line.startsWith(':')) ++this.comments;
                const colon = line.indexOf(': ');
                if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 2);
            }
            if (event.data === undefined) continue;
            if (event.id !== undefined) this.lastEventId = event.id;
            event.data = JSON.parse(event.data);
            event.at = Date.now();
            assert.equal(event.event, event.data.type);
            this.events.push(event);
        }
    }

    /** The types so far. */
    get types() {
        return this.events.map((each) => each.event);
    }

    /** Waits until there is an event of this type (the `nth`, from 1), and gives it. */
    async next(type, nth = 1, limit = 10_000) {
        const all = () => this.events.filter((each) => each.event === type);
        await eventually(() => all().length >= nth || this.ended, () => `event ${type} among ${this.types}`, limit);
        assert.ok(all().length >= nth, `the stream ended without ${type}: ${this.types}`);
        return all()[nth - 1];
    }

    async end(limit = 20_000) {
        await eventually(() => this.ended, () => `the stream's end after ${this.types}`, limit);
    }

    close() {
        this.request.destroy();
    }
}
