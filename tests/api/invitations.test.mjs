// Guests: invited by the doctor, by a link that opens once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorOf, knock } from '../lib/door.js';
import { age, sql } from '../lib/time_travel.js';
import { mint, sign } from '../lib/tokens.js';
import { eachStore, sessions } from '../lib/world.js';

const env = { RATE_LIMIT: 'off' };
const rounds = Number(process.env.DOOR_ROUNDS ?? 20);

eachStore(
    'invitations',
    (world) => {
        const visit = async (changes = {}) => {
            const made = await world().visit(changes);
            return { visit: made, door: doorOf(world(), made) };
        };

        test('a guest is invited, comes, is there, leaves, and counts', async () => {
            const { visit: v, door } = await visit({ chief_complaint: 'A marked complaint' });
            const invited = await door.invite({ role: 'RELATIVE', name: 'Marked Relative', expires_in_minutes: 30 });
            assert.equal(invited.status, 201, invited.text);
            assert.match(invited.body.user_id, /^guest-[0-9a-f]{12}$/);
            assert.equal(invited.body.status, 'PENDING');
            assert.equal(invited.body.link, `${world().server.url}/room/${v.id}#invitation=${invited.body.invitation}`);
            const life = Date.parse(invited.body.expires_at) - Date.parse(invited.body.invited_at);
            assert.equal(life, 30 * 60_000);

            const redeemed = await door.redeem(invited.body.invitation);
            assert.equal(redeemed.status, 200, redeemed.text);
            assert.deepEqual([redeemed.body.role, redeemed.body.guest_role, redeemed.body.name], ['GUEST', 'RELATIVE', 'Marked Relative']);
            assert.equal(Date.parse(redeemed.body.expires_at), Date.parse(v.booked.scheduled_end_time) + 4 * 3600_000);
            const token = redeemed.body.access_token;
            const again = await door.redeem(invited.body.invitation);
            assert.deepEqual([again.status, again.body.detail], [410, 'This invitation has been used already']);

            await v.join(v.doctor);
            await v.notes(v.doctor, 'Marked notes');
            const joined = await v.join(token);
            assert.equal(joined.status, 200, joined.text);
            assert.deepEqual([joined.body.attendee.role, joined.body.attendee.external_user_id], ['GUEST', invited.body.user_id]);
            assert.equal(await knock(joined.body), 0);
            const seen = await v.get(token);
            assert.equal(seen.status, 200);
            assert.deepEqual([seen.body.chief_complaint, seen.body.session_notes], [null, null]);
            assert.equal((await world().client.post(`${v.path}/quality`, token, { audio_quality_score: 4 })).status, 204);

            const mine = (await v.get()).body.attendees.find((each) => each.role === 'GUEST');
            assert.deepEqual([mine.name, mine.guest_role, mine.connected, mine.user_id], ['Marked Relative', 'RELATIVE', true, invited.body.user_id]);
            assert.equal((await v.get()).body.patient_joined_at, null);
            await age(world(), v.id, 7);
            const left = await v.leave(token);
            assert.equal(left.status, 200);
            assert.equal(left.body.chief_complaint, null);
            assert.equal((await v.get()).body.attendees.find((each) => each.role === 'GUEST').attendee_minutes, 7);
            await v.end(v.doctor);
            const usage = await sql(world(), `SELECT attendee_minutes_used FROM video_consultation_metrics WHERE session_id = '${v.id}' AND user_id = '${invited.body.user_id}'`);
            assert.deepEqual(usage.map(Number), [7]);

            const trail = (await v.events()).body;
            const rows = trail.filter((each) => /INVIT|guest/.test(`${each.event_type}${each.user_id}`)).map((each) => [each.event_type, each.user_id]);
            assert.deepEqual(rows.slice(0, 3), [['GUEST_INVITED', v.doctorId], ['INVITATION_USED', invited.body.user_id], ['USER_JOINED', invited.body.user_id]]);
            assert.ok(!JSON.stringify(trail).includes('Marked Relative'), 'no names in the trail');
            const stored = await sql(world(), `SELECT invitation_hash FROM video_consultation_attendees WHERE session_id = '${v.id}' AND role = 'GUEST'`);
            assert.match(stored[0], /^[0-9a-f]{64}$/);
        });

        test('a guest may do nothing else, and nothing elsewhere', async () => {
            const { visit: v, door } = await visit();
            const other = await world().visit();
            const { token, userId } = await door.guest();
            const { client } = world();
            const refused = [
                () => client.get(sessions, token),
                () => client.post(sessions, token, world().booking(world().pair())),
                () => client.get(`${sessions}/doctor/${v.doctorId}`, token),
                () => client.get(`${sessions}/patient/${userId}`, token),
                () => v.events(token),
                () => v.start(token),
                () => v.end(token),
                () => v.cancel(token),
                () => v.notes(token, 'x'),
                () => door.queue(token),
                () => door.admit(v.patientId, token),
                () => door.invite({}, token),
                () => door.invitations(token),
                () => door.revoke(userId, token),
                () => client.get('/api/video/metrics/usage', token),
                () => other.get(token),
                () => other.join(token),
                () => other.leave(token),
            ];
            for (const [i, ask] of refused.entries()) assert.equal((await ask()).status, 403, String(i));
            assert.equal((await client.request('POST', '/api/video/auth/refresh-token', { token })).status, 401);
            assert.equal((await v.get(token)).status, 200);
        });

        test('a token that only says so makes no guest', async () => {
            const { visit: v, door } = await visit();
            const { token, userId } = await door.guest();
            const { secret } = world().server;
            const now = Math.floor(Date.now() / 1000);
            const claims = { sub: userId, user_id: userId, role: 'GUEST', session_id: v.id, iat: now, exp: now + 3600 };
            assert.equal((await v.get(mint('GUEST', userId, secret))).status, 403);
            assert.equal((await v.get(sign(claims, secret))).status, 403);
            assert.equal((await v.get(sign(claims, secret, { alg: 'HS256', typ: 'guest+jwt' }))).status, 401);
            const [head, body, signature] = token.split('.');
            const forged = Buffer.from(JSON.stringify({ ...claims, user_id: v.doctorId, role: 'DOCTOR' })).toString('base64url');
            assert.equal((await v.get(`${head}.${forged}.${signature}`)).status, 401);
            assert.equal((await v.get(`${head}.${body}.`)).status, 401);
        });

        test('only so many people, only the doctor, only what fits', async () => {
            const { visit: v, door } = await visit();
            for (const token of [v.patient, world().admin, world().token('DOCTOR', 'another')]) {
                assert.equal((await door.invite({}, token)).status, 403);
            }
            assert.equal((await door.invitations(v.patient)).status, 403);
            const bad = [{ role: 'FRIEND' }, { role: null }, { name: '' }, { name: '   ' }, { name: 'x'.repeat(101) }, { name: 7 }, { expires_in_minutes: 4 }, { expires_in_minutes: 44641 }, { expires_in_minutes: 'soon' }];
            for (const each of bad) assert.equal((await door.invite(each)).status, 422, JSON.stringify(each));
            const first = await door.invite();
            assert.equal((await door.invite({ role: 'CLINICIAN' })).status, 201);
            const full = await door.invite();
            assert.equal(full.status, 409);
            assert.match(full.body.detail, /at most 4 people/);
            assert.equal((await door.revoke(first.body.user_id)).status, 204);
            assert.equal((await door.invite()).status, 201);
            const all = (await door.invitations()).body.invitations;
            assert.deepEqual(all.map((each) => each.status), ['REVOKED', 'PENDING', 'PENDING']);
            assert.ok(all.every((each) => !('invitation' in each) && !('link' in each)));
            assert.equal((await door.revoke('guest-000000000000')).status, 404);
            assert.equal((await door.revoke(v.patientId)).status, 404);
            await v.cancel(v.doctor);
            assert.equal((await door.invite()).status, 400);
        });

        test('links that are worth nothing', async () => {
            const { visit: v, door } = await visit();
            for (const wrong of ['nonsense', `${v.id}.`, `${v.id}.AAAA`, `${sessions}.x`, '.x', 'x'.repeat(200)]) {
                const answer = await door.redeem(wrong);
                assert.deepEqual([answer.status, answer.body.detail], [404, 'Invitation not found']);
            }
            assert.equal((await world().client.request('POST', '/api/video/invitations/redeem', { body: {}, careless: true })).status, 422);
            const late = await door.invite();
            const past = world().postgres ? "invitation_expires_at - interval '365 days'" : 'invitation_expires_at - 31536000000000';
            await sql(world(), `UPDATE video_consultation_attendees SET invitation_expires_at = ${past} WHERE session_id = '${v.id}'`);
            assert.deepEqual((await door.redeem(late.body.invitation)).body.detail, 'This invitation has expired');
            const revoked = await door.invite();
            await door.revoke(revoked.body.user_id);
            assert.deepEqual((await door.redeem(revoked.body.invitation)).body.detail, 'This invitation has been revoked');
            const { visit: other, door: otherDoor } = await visit();
            const over = await otherDoor.invite();
            await other.cancel(other.doctor);
            assert.deepEqual((await door.redeem(over.body.invitation)).body.detail, 'The session of this invitation is over');
        });

        test('a revoked guest is put out and refused everywhere', async () => {
            const { visit: v, door } = await visit();
            const { token, userId } = await door.guest();
            const joined = await v.join(token);
            assert.equal(joined.status, 200);
            assert.equal((await door.revoke(userId)).status, 204);
            assert.equal((await door.revoke(userId)).status, 204);
            assert.equal(await knock(joined.body), 4403);
            for (const answer of [await v.join(token), await v.get(token), await v.leave(token)]) {
                assert.deepEqual([answer.status, answer.body.detail], [403, 'Your invitation to this session has been revoked']);
            }
            const guest = (await v.get()).body.attendees.find((each) => each.role === 'GUEST');
            assert.equal(guest.connected, false);
            assert.equal((await door.admit(userId)).status, 409);
            assert.equal((await door.types()).filter((each) => each === 'INVITATION_REVOKED').length, 1);
        });

        test('guests wait as well, and stand behind those who came before', async () => {
            const { visit: v, door } = await visit({ waiting_room: true });
            const { token, userId } = await door.guest();
            assert.equal((await v.join(v.patient)).body.position, 1);
            const second = await v.join(token);
            assert.deepEqual([second.status, second.body.position], [202, 2]);
            const queue = (await door.queue()).body.waiting;
            assert.deepEqual(queue.map((each) => [each.user_id, each.guest_role, each.name]), [[v.patientId, null, null], [userId, 'INTERPRETER', 'Ada Perera']]);
            assert.equal((await door.admit(userId)).status, 200);
            assert.equal((await v.join(token)).status, 200);
            assert.equal((await v.join(v.patient)).body.position, 1);
        });

        test('races: of many who open one link exactly one is the guest', async () => {
            for (let round = 0; round < rounds; ++round) {
                const { visit: v, door } = await visit();
                const { invitation } = (await door.invite()).body;
                const answers = await Promise.all(Array.from({ length: 6 }, () => door.redeem(invitation)));
                assert.deepEqual(answers.map((each) => each.status).sort(), [200, 410, 410, 410, 410, 410]);
                assert.equal((await v.events()).body.filter((each) => each.event_type === 'INVITATION_USED').length, 1);
            }
        });

        test('races: a revocation against the opening leaves nobody in; invitations never exceed the limit', async () => {
            for (let round = 0; round < rounds; ++round) {
                const { visit: v, door } = await visit();
                const invited = (await door.invite()).body;
                const [redeemed, revoked] = await Promise.all([door.redeem(invited.invitation), door.revoke(invited.user_id)]);
                assert.equal(revoked.status, 204);
                assert.ok([200, 410].includes(redeemed.status));
                if (redeemed.status === 200) assert.equal((await v.join(redeemed.body.access_token)).status, 403);
                const many = await Promise.all(Array.from({ length: 5 }, () => door.invite()));
                assert.deepEqual(many.map((each) => each.status).sort(), [201, 201, 409, 409, 409]);
            }
        });
    },
    { env },
);
