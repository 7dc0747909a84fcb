// The same events for those without a broker: Standard Webhooks, signed, in order per session, again until they are taken.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { eventually } from '../lib/world.js';

const key = randomBytes(24);

/** Somebody who wants to know; checks every signature. */
class Receiver {
    static async start() {
        const receiver = new Receiver();
        receiver.calls = [];
        receiver.answer = () => 204;
        receiver.server = http.createServer((request, response) => {
            let text = '';
            request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
            request.on('end', () => {
                const id = request.headers['webhook-id'];
                const stamp = request.headers['webhook-timestamp'];
                const signature = `v1,${createHmac('sha256', key).update(`${id}.${stamp}.${text}`).digest('base64')}`;
                const genuine = request.headers['webhook-signature'] === signature && Math.abs(Date.now() / 1000 - Number(stamp)) < 300;
                const call = { id, genuine, type: request.headers['content-type'], body: JSON.parse(text) };
                call.status = receiver.answer(call);
                receiver.calls.push(call);
                if (call.status) response.writeHead(call.status).end();
            });
        });
        await new Promise((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
        receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hook`;
        return receiver;
    }

    taken(sessionId) {
        return this.calls.filter((each) => each.status === 204 && each.body.data.session_id === sessionId);
    }

    stop() {
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(resolve));
    }
}

const day = ['video.session.created', 'video.session.started', 'video.user.joined', 'video.user.joined', 'video.user.left', 'video.session.ended'];

describe('webhooks', () => {
    let here;
    let receivers;
    before(async () => {
        receivers = [await Receiver.start(), await Receiver.start()];
        here = await Neighbourhood.open({
            broker: true,
            env: { WEBHOOK_URLS: receivers.map((each) => each.url).join(','), WEBHOOK_SECRET: `whsec_${key.toString('base64')}` },
        });
    });
    after(async () => {
        await here?.close();
        await Promise.all(receivers.map((each) => each.stop()));
    });

    const visit = async () => {
        const made = await (await here.world.visit()).to('ACTIVE');
        await made.leave(made.patient);
        await made.end(made.doctor);
        return made;
    };
    const typesAt = (receiver, id) => receiver.taken(id).map((each) => each.body.event_type);
    const allTaken = (receiver, id, limit) =>
        eventually(() => typesAt(receiver, id).join() === day.join(), () => `the day of a visit; there is ${typesAt(receiver, id)}`, limit);

    test('every endpoint gets every event, signed, in order, with the broker’s ids and bodies', async () => {
        const { id } = await visit();
        const told = await here.told(id, day);
        for (const receiver of receivers) {
            await allTaken(receiver, id);
            const got = receiver.taken(id);
            assert.ok(got.every((each) => each.genuine && each.type === 'application/json'));
            assert.deepEqual(got.map((each) => each.id), told.map((each) => each.properties.messageId));
            assert.deepEqual(got.map((each) => each.body), told.map((each) => each.body));
        }
    });

    test('one that fails gets its events later, in order, under the same ids; the other is not kept waiting', async () => {
        const [steady, shaky] = receivers;
        let failures = 0;
        shaky.answer = () => (++failures <= 1 ? 500 : 204);
        const { id } = await visit();
        await allTaken(steady, id, 4000);
        assert.ok(shaky.calls.some((each) => each.status === 500));
        await allTaken(shaky, id, 40_000);
        const [first, again] = shaky.calls.filter((each) => each.body.data.session_id === id);
        assert.deepEqual([first.status, again.status, again.id === first.id], [500, 204, true]);
        assert.ok(again.genuine);
    });

    test('a killed service goes on where it was', async () => {
        const [steady, silent] = receivers;
        silent.answer = () => undefined;
        const { id } = await visit();
        await allTaken(steady, id);
        await here.world.server.kill();
        silent.answer = () => 204;
        await here.world.server.boot();
        await allTaken(silent, id, 60_000);
        assert.equal(typesAt(steady, id).length, day.length);
    });
});
