// Several nodes on one PostgreSQL: where meetings go, and what becomes of them when nodes and database come and go.
// People are sockets here; browsers are in browsers.test.mjs.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually } from '../lib/world.js';
import { Caller } from './lib/caller.mjs';
import { Cluster, ask, assertWhole, noticed } from './lib/cluster.mjs';
import { Socket } from './lib/socket.mjs';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const signaling = (answer) => answer.body.media_placement.signaling_url;
const firstOf = async (nodes, call) => {
    for (const node of nodes) {
        const answer = await call(node);
        if (answer.status !== 0) return answer;
    }
    return { status: 0, body: null };
};

/** Both people of a visit in its meeting, asking any node that answers. */
async function inCall(cluster, visit, nodes = cluster.nodes) {
    const callers = ['DOCTOR', 'PATIENT'].map((role) => new Caller(() => firstOf(nodes, (node) => visit.join(role, node))));
    for (const caller of callers) await caller.enter();
    // Written down: from here on the record says that they are there. Mostly at once, else with the presence that nodes report every 15 s.
    const seen = `select 1 from video_consultation_attendees where session_id = '${visit.id}' and last_seen_at > opened_at`;
    await eventually(async () => (await cluster.query(seen)).length === 2, 'both to be seen', 20_000);
    return callers;
}

const hangUp = (callers) => callers.forEach((caller) => caller.hangUp());

/** Both are inside, and at this node. */
const bothAt = (callers, node) => callers.every((caller) => caller.inside && new URL(caller.pass.media_placement.signaling_url).host === new URL(node.url).host);

describe('where meetings go', () => {
    let cluster;
    after(() => cluster?.stop());

    test('they spread over the nodes, and every node answers for all of them', async () => {
        cluster = await Cluster.start({ NODE_CAPACITY: '100' }, { NODE_CAPACITY: '100' });
        const [a, b] = cluster.nodes;
        const homes = new Map();
        for (let i = 0; i < 6; ++i) {
            const visit = await cluster.visit(i % 2 ? a : b);
            const patient = await visit.join('PATIENT', a);
            const doctor = await visit.join('DOCTOR', b);
            assert.equal(patient.status, 200, JSON.stringify(patient.body));
            assert.equal(signaling(doctor), signaling(patient), 'one meeting, one address');
            const home = cluster.at(signaling(patient));
            homes.set(home, (homes.get(home) ?? 0) + 1);
            assert.equal((await visit.get(a)).status, 'ACTIVE');
            assert.equal((await visit.get(b)).status, 'ACTIVE');
        }
        assert.deepEqual([homes.get(a), homes.get(b)], [3, 3]);
    });

    test('only the node that has a meeting serves it; the other says: try again', async () => {
        const visit = await cluster.visit();
        const { body } = await visit.join('PATIENT');
        const home = cluster.at(body.media_placement.signaling_url);
        const other = cluster.nodes.find((node) => node !== home);
        const address = new URL(body.media_placement.signaling_url);
        const elsewhere = `${other.url.replace('http', 'ws')}${address.pathname}`;
        await assert.rejects(Socket.open(elsewhere, ['_aws_wt_session', body.attendee.join_token]), { status: 503 });
        const caller = new Caller(() => visit.join('PATIENT', other));
        await caller.enter();
        assert.ok(caller.inside);
        caller.hangUp();
    });

    test('what is asked of one node is done at the other', async () => {
        const visit = await cluster.visit();
        const callers = await inCall(cluster, visit);
        const home = cluster.at(callers[0].pass.media_placement.signaling_url);
        const other = cluster.nodes.find((node) => node !== home);
        const [doctor, patient] = callers;
        assert.equal((await visit.leave('PATIENT', other)).status, 200);
        await eventually(() => patient.log.some((each) => each.what === 'status'), 'the patient to be put out');
        assert.equal((await visit.end(other)).status, 200);
        await eventually(() => doctor.log.some((each) => each.what === 'status'), 'the doctor to be told of the end');
        await eventually(async () => (await cluster.place(visit.id)) === null, 'the place to be given up');
        hangUp(callers);
        const late = await Socket.open(doctor.pass.media_placement.signaling_url, ['_aws_wt_session', doctor.pass.attendee.join_token]);
        assert.equal(await late.over, 4410, 'over for good, at whichever node');
    });

    test('the page may be sent to any node, also to one that is not there yet', async () => {
        const policy = (await fetch(`${cluster.nodes[0].url}/room/x`)).headers.get('content-security-policy');
        assert.ok(policy.includes("connect-src 'self' ws: wss:;"), policy);
    });

    test('the metrics tell of nodes and meetings', async () => {
        // Those who were hung up on before may still count.
        const running = async () => (await Promise.all(cluster.nodes.map((node) => Cluster.metric(node, 'node_meetings')))).reduce((a, b) => a + b);
        const before = await running();
        const visit = await cluster.visit();
        const callers = await inCall(cluster, visit);
        const home = cluster.at(callers[0].pass.media_placement.signaling_url);
        assert.ok((await Cluster.metric(home, 'node_meetings')) >= 1);
        assert.ok((await running()) <= before + 1);
        await eventually(async () => (await Cluster.metric(home, 'nodes{state="live"}')) === 2, 'both nodes to be seen');
        assert.ok((await Cluster.metric(home, 'node_heartbeat_age_seconds')) < noticed / 1000);
        hangUp(callers);
    });

    test('a node with another secret is given nothing', async () => {
        const stranger = await cluster.add({ JWT_SECRET_KEY: 'another secret for tests only, long enough for HS256', NODE_CAPACITY: '100000' });
        const homes = new Set();
        for (let i = 0; i < 4; ++i) homes.add(cluster.at(signaling(await (await cluster.visit()).join('PATIENT'))));
        assert.ok(!homes.has(stranger));
        await eventually(() => cluster.nodes[0].log.includes('another JWT_SECRET_KEY'), 'the log to say so');
    });
});

describe('regions', () => {
    let cluster;
    after(() => cluster?.stop());

    test('a meeting goes to the region that was booked, from wherever it is asked for', async () => {
        cluster = await Cluster.start({ NODE_REGION: 'eu-central-1' }, { NODE_REGION: 'us-east-1' });
        for (const [region, node] of [['us-east-1', cluster.nodes[1]], ['eu-central-1', cluster.nodes[0]]]) {
            for (const asked of cluster.nodes) {
                for (let i = 0; i < 2; ++i) {
                    const visit = await cluster.visit(asked, { media_region: region });
                    assert.equal(cluster.at(signaling(await visit.join('PATIENT', asked))), node, `${region} asked at ${asked.url}`);
                }
            }
        }
    });
});

describe('a node dies', () => {
    let cluster;
    after(() => cluster?.stop());

    test('kill -9 in a call: both are back on the other within 15 s, and the record is whole', async () => {
        cluster = await Cluster.start({}, {});
        const visit = await cluster.visit();
        const callers = await inCall(cluster, visit);
        const home = cluster.at(callers[0].pass.media_placement.signaling_url);
        const other = cluster.nodes.find((node) => node !== home);
        const before = await cluster.place(visit.id);
        const died = Date.now();
        await home.kill();
        await eventually(() => bothAt(callers, other), () => `both to be back: ${JSON.stringify(callers.map((c) => c.log))}`, 15_000);
        const took = Date.now() - died;
        assert.ok(took < 15_000, `${took} ms`);
        const after = await cluster.place(visit.id);
        assert.notEqual(after.node, before.node);
        assert.equal(after.epoch, before.epoch + 1);
        assert.equal(await Cluster.metric(other, 'node_takeovers_total'), 1);

        // One stay each, from before the death until now.
        let stays = await cluster.stays(visit.id);
        assertWhole(stays);
        assert.deepEqual(stays.map((stay) => stay.left), [null, null]);
        assert.ok(stays.every((stay) => stay.joined < died));
        assert.equal((await visit.end(other)).status, 200);
        stays = await cluster.stays(visit.id);
        assertWhole(stays);
        assert.equal(stays.length, 2);
        const sums = await cluster.query(`select attended_micros / 1000 from video_consultation_attendees where session_id = '${visit.id}' order by role`);
        stays.forEach((stay, i) => assert.ok(Math.abs(stay.left - stay.joined - Number(sums[i])) <= 1, `${JSON.stringify(stay)} and ${sums[i]}`));
        const session = await visit.get(other);
        assert.equal(session.status, 'COMPLETED');
        hangUp(callers);
    });

    test('whoever does not come back was last there when they were last seen', async () => {
        await cluster.add();
        const living = cluster.nodes.filter((node) => node.process.signalCode === null);
        const visit = await cluster.visit(living[0]);
        const callers = await inCall(cluster, visit, living);
        const place = cluster.at(callers[0].pass.media_placement.signaling_url);
        const asked = living.find((node) => node !== place);
        callers[1].leaving = true; // The patient gives up with the node.
        await place.kill();
        await eventually(() => callers[0].inside && cluster.at(callers[0].pass.media_placement.signaling_url) === asked, 'the doctor to be back', 15_000);
        // As if the patience with somebody unseen were over: waiting for it takes 45 s.
        const [seen] = await cluster.query(`update video_consultation_attendees set present_until = (clock_timestamp() at time zone 'UTC') where session_id = '${visit.id}' and role = 'PATIENT' returning extract(epoch from last_seen_at) * 1000`);
        await eventually(async () => (await cluster.stays(visit.id)).some((stay) => stay.role === 'PATIENT' && stay.left !== null), 'the patient to count as gone', 15_000);
        const stays = await cluster.stays(visit.id);
        assertWhole(stays);
        assert.equal(stays.length, 2);
        assert.equal(Math.round(stays.find((stay) => stay.role === 'PATIENT').left), Math.round(Number(seen)));
        assert.equal(stays.find((stay) => stay.role === 'DOCTOR').left, null);
        hangUp(callers);
    });

    test('a node that starts again on its port takes its meetings back without waiting', async () => {
        const alone = await Cluster.start({});
        try {
            const [node] = alone.nodes;
            const visit = await alone.visit();
            const callers = await inCall(alone, visit);
            const url = callers[0].pass.media_placement.signaling_url;
            await node.kill();
            const began = Date.now();
            await node.boot();
            await eventually(() => bothAt(callers, node), 'both to be back', 15_000);
            assert.ok(Date.now() - began < noticed, 'nobody waited for the old process to count as dead');
            assert.equal(callers[0].pass.media_placement.signaling_url, url);
            assertWhole(await alone.stays(visit.id));
            hangUp(callers);
        } finally {
            await alone.stop();
        }
    });
});

describe('a node stops', () => {
    test('it takes no new meetings, waits for those that run, then moves them', async () => {
        const cluster = await Cluster.start({ DRAIN_SECONDS: '5' }, { DRAIN_SECONDS: '5' });
        try {
            const visit = await cluster.visit();
            const callers = await inCall(cluster, visit);
            const home = cluster.at(callers[0].pass.media_placement.signaling_url);
            const other = cluster.nodes.find((node) => node !== home);
            const ended = home.terminate();
            const asked = Date.now();
            const ready = await eventually(async () => {
                const answer = await fetch(`${home.url}/health/ready`);
                return answer.status === 503 && (await answer.json());
            }, 'not ready any more', 3000);
            assert.equal(ready.status, 'draining');
            // Asked at the one that drains: it answers, and names the other.
            for (let i = 0; i < 3; ++i) assert.equal(cluster.at(signaling(await (await cluster.visit(home)).join('PATIENT', home))), other);
            // Whoever comes late into the meeting that runs there finds it there.
            assert.equal(cluster.at(signaling(await visit.join('DOCTOR', other))), home);
            assert.ok(callers.every((caller) => caller.inside && caller.closings().length === 0));
            assert.ok(Date.now() - asked < 5000);
            await eventually(() => bothAt(callers, other), () => `both to be moved: ${JSON.stringify(callers.map((c) => c.log))}`, 20_000);
            assert.ok(Date.now() - asked > 4500, 'not before the time was up');
            assert.ok(callers.every((caller) => caller.closings(4500).length === 1 && caller.closings().length === 1), JSON.stringify(callers.map((c) => c.log)));
            assert.equal((await ended).code, 0);
            const stays = await cluster.stays(visit.id);
            assertWhole(stays);
            assert.deepEqual(stays.map((stay) => stay.left), [null, null], 'a move is no leave');
            assert.equal((await visit.end(other)).status, 200);
            assert.equal((await cluster.stays(visit.id)).length, 2);
            hangUp(callers);
        } finally {
            await cluster.stop();
        }
    });

    test('it stops as soon as its last meeting is over, or when it is asked a second time', async () => {
        const cluster = await Cluster.start({ DRAIN_SECONDS: '600' }, { DRAIN_SECONDS: '600' });
        try {
            const visit = await cluster.visit();
            const callers = await inCall(cluster, visit);
            const home = cluster.at(callers[0].pass.media_placement.signaling_url);
            const other = cluster.nodes.find((node) => node !== home);
            const ended = home.terminate();
            await eventually(async () => (await fetch(`${home.url}/health/ready`)).status === 503, 'it to drain');
            hangUp(callers);
            assert.equal((await visit.end(other)).status, 200);
            assert.equal((await Promise.race([ended, pause(20_000)]))?.code, 0, 'over with the meeting');

            const second = await cluster.visit(other);
            const stayers = await inCall(cluster, second, [other]);
            const stopped = other.terminate();
            await eventually(async () => (await fetch(`${other.url}/health/ready`)).status === 503, 'the other to drain');
            assert.ok(stayers.every((caller) => caller.inside));
            other.process.kill('SIGTERM');
            assert.equal((await Promise.race([stopped, pause(20_000)]))?.code, 0, 'at once');
            hangUp(stayers);
        } finally {
            await cluster.stop();
        }
    });
});

describe('a node that was away', () => {
    test('gives up what others took over meanwhile', async () => {
        const cluster = await Cluster.start({}, {});
        try {
            const visit = await cluster.visit();
            const [doctor, patient] = await inCall(cluster, visit);
            const home = cluster.at(doctor.pass.media_placement.signaling_url);
            const other = cluster.nodes.find((node) => node !== home);
            home.process.kill('SIGSTOP');
            const stopped = Date.now();
            // The patient reloads the page, again and again; the doctor's line just stays silent.
            patient.leaving = true;
            patient.socket.abort();
            const again = new Caller(() => visit.join('PATIENT', other));
            await again.enter(15_000);
            assert.equal(cluster.at(again.pass.media_placement.signaling_url), other);
            await pause(Math.max(0, stopped + 15_000 - Date.now()));
            assert.ok(doctor.inside, 'nothing has told the doctor');
            doctor.join = () => firstOf(cluster.nodes, (node) => visit.join('DOCTOR', node));
            home.process.kill('SIGCONT');
            await eventually(() => bothAt([doctor, again], other), () => `the doctor to follow: ${JSON.stringify(doctor.log)}`, 15_000);
            assert.equal(doctor.closings(4500).length, 1, JSON.stringify(doctor.log));
            assert.equal(await Cluster.metric(home, 'node_lost_meetings_total'), 1);
            // What the old node believes about those it has lost must not be written down.
            await pause(3000);
            const stays = await cluster.stays(visit.id);
            assertWhole(stays);
            assert.deepEqual(stays.map((stay) => stay.left), [null, null]);
            hangUp([doctor, again]);
        } finally {
            await cluster.stop();
        }
    });

    test('nothing happens to a call while the database is away', async () => {
        const cluster = await Cluster.start({}, {});
        try {
            const visit = await cluster.visit();
            const callers = await inCall(cluster, visit);
            const before = await cluster.place(visit.id);
            await cluster.postgres.down();
            await pause(10_000);
            assert.ok(callers.every((caller) => caller.inside), 'the call goes on');
            await cluster.postgres.boot();
            // The first thing that happens is that somebody asks the node that does not have the meeting.
            const home = cluster.at(callers[0].pass.media_placement.signaling_url);
            const other = cluster.nodes.find((node) => node !== home);
            const answer = await eventually(async () => {
                const joined = await visit.join('DOCTOR', other);
                return joined.status === 200 && joined;
            }, 'the database to be found again', 20_000);
            assert.equal(cluster.at(signaling(answer)), home);
            await pause(4000);
            assert.deepEqual(await cluster.place(visit.id), before);
            assert.ok(callers.every((caller) => caller.inside && caller.closings().length === 0), JSON.stringify(callers.map((c) => c.log)));
            const stays = await cluster.stays(visit.id);
            assertWhole(stays);
            assert.deepEqual(stays.map((stay) => stay.left), [null, null]);
            assert.equal((await ask(home, 'GET', `/sessions/${visit.id}`, visit.tokens.DOCTOR)).body.status, 'ACTIVE');
            hangUp(callers);
        } finally {
            await cluster.stop();
        }
    });
});
