// What doctors do at the door of a visit, and what guests do in front of it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';

/** @param {import('./world.js').World} world @param visit of `world.visit` */
export function doorOf(world, visit) {
    const { client } = world;
    const decide = (word) => (userId, token = visit.doctor) =>
        client.request('POST', `${visit.path}/waiting-room/${encodeURIComponent(userId)}/${word}`, { token });
    const door = {
        queue: (token = visit.doctor) => client.get(`${visit.path}/waiting-room`, token),
        admit: decide('admit'),
        deny: decide('deny'),
        remove: decide('remove'),
        invite: (body = {}, token = visit.doctor) => client.post(`${visit.path}/invitations`, token, { role: 'INTERPRETER', name: 'Ada Perera', ...body }),
        invitations: (token = visit.doctor) => client.get(`${visit.path}/invitations`, token),
        revoke: (userId, token = visit.doctor) => client.delete(`${visit.path}/invitations/${userId}`, token),
        redeem: (invitation) => client.post('/api/video/invitations/redeem', undefined, { invitation }),
        /** Invited, and come: `{ userId, token }`. */
        async guest(body = {}) {
            const invited = await door.invite(body);
            assert.equal(invited.status, 201, invited.text);
            const redeemed = await door.redeem(invited.body.invitation);
            assert.equal(redeemed.status, 200, redeemed.text);
            return { userId: invited.body.user_id, token: redeemed.body.access_token, invitation: invited.body.invitation };
        },
        types: async () => (await visit.events()).body.map((each) => each.event_type),
    };
    return door;
}

/** `{ opcode, payload }` of the first whole WebSocket frame (RFC 6455 section 5.2; servers send them unmasked). */
function frameIn(bytes) {
    if (bytes.length < 2) return undefined;
    const length = bytes[1] & 0x7f;
    if (length > 125 || bytes.length < 2 + length) return undefined;
    return { opcode: bytes[0] & 0x0f, payload: bytes.subarray(2, 2 + length) };
}

/** The code with which the meeting server closes a connection that shows this join answer; 0: it is let in. */
export function knock(joined) {
    const url = new URL(joined.media_placement.signaling_url);
    return new Promise((resolve, reject) => {
        const socket = net.connect(Number(url.port), url.hostname, () =>
            socket.write(
                `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
                    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
                    `Sec-WebSocket-Protocol: _aws_wt_session, ${joined.attendee.join_token}\r\n\r\n`,
            ),
        );
        let bytes = Buffer.alloc(0);
        let upgraded = false;
        socket.on('data', (chunk) => {
            bytes = Buffer.concat([bytes, chunk]);
            if (!upgraded) {
                const end = bytes.indexOf('\r\n\r\n');
                if (end < 0) return;
                upgraded = bytes.subarray(0, 12).toString() === 'HTTP/1.1 101';
                bytes = bytes.subarray(end + 4);
                // Nonsense: whoever was let in is told so, in another way than somebody who was not.
                socket.write(Buffer.from([0x82, 0x83, 0, 0, 0, 0, 0xff, 0xff, 0xff]));
            }
            const frame = frameIn(bytes);
            if (!frame) return;
            socket.destroy();
            const code = frame.opcode === 8 && frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 0;
            resolve([4403, 4410].includes(code) ? code : 0);
        });
        socket.on('error', reject);
        socket.on('close', () => (upgraded ? resolve(0) : reject(new Error('no connection'))));
    });
}
