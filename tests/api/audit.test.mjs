// The audit trail: who did and saw what, from where, by which request; and that nobody can change it unseen.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Audit } from '../lib/audit.js';
import { Client } from '../lib/client.js';
import { Server } from '../lib/server.js';
import { World, eachStore, eventually, sessions } from '../lib/world.js';

const table = 'video_consultation_events';
const head = 'video_consultation_audit_head';
const reason = 'The patient collapsed and the emergency doctor asks';

eachStore('the audit trail tells of every request', (world) => {
    const audit = () => new Audit(world());
    /** Asks, and gives the rows that the request left. */
    const asked = async (method, path, token, { body, headers = {}, status = 200 } = {}) => {
        const id = randomUUID();
        const answer = await world().client.request(method, path, { token, body, headers: { 'X-Request-ID': id, ...headers } });
        assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
        return { answer, rows: await audit().rowsOf(id) };
    };
    const row = (type, visit, who, role, kind) => `${type}|${visit?.id ?? '-'}|${who}|${role}|127.0.0.1|${kind}`;

    test('reads: the session, its events, lists, by appointment', async () => {
        const appointment = world().newAppointment();
        const visit = await world().visit({ appointment_id: appointment });
        const doctor = (type) => row(type, visit, visit.doctorId, 'DOCTOR', 'access');
        assert.deepEqual((await asked('GET', visit.path, visit.doctor)).rows, [doctor('SESSION_READ')]);
        assert.deepEqual((await asked('GET', `${visit.path}/events`, visit.doctor)).rows, [doctor('EVENTS_READ')]);
        assert.deepEqual((await asked('GET', `${sessions}/by-appointment/${appointment}`, visit.doctor)).rows, [doctor('SESSION_READ')]);
        const lists = [
            [sessions, visit.patient, visit.patientId, 'PATIENT'],
            [`${sessions}/doctor/${visit.doctorId}`, visit.doctor, visit.doctorId, 'DOCTOR'],
            [`${sessions}/patient/${visit.patientId}`, world().admin, 'admin-1', 'CLINIC_ADMIN'],
        ];
        for (const [path, token, who, role] of lists) {
            assert.deepEqual((await asked('GET', path, token)).rows, [row('SESSIONS_LISTED', undefined, who, role, 'access')]);
        }
    });

    test('changes: booking, joining, notes, leaving, ending, cancelling', async () => {
        const pair = world().pair();
        const booked = await asked('POST', sessions, pair.patient, { body: world().booking(pair), status: 201 });
        const visit = { ...pair, id: booked.answer.body.session_id, path: `${sessions}/${booked.answer.body.session_id}` };
        const by = (type, kind = 'life') => row(type, visit, pair.doctorId, 'DOCTOR', kind);
        assert.deepEqual(booked.rows, [row('SESSION_CREATED', visit, pair.patientId, 'PATIENT', 'life')]);
        const joined = await asked('POST', `${visit.path}/join`, pair.doctor, { body: {} });
        // Nobody in particular made the meeting, but this request led to it.
        assert.deepEqual(joined.rows, [`MEETING_CREATED|${visit.id}|-|-|-|life`, by('USER_JOINED')]);
        assert.deepEqual((await asked('POST', `${visit.path}/join`, pair.doctor, { body: {} })).rows, [by('SESSION_READ', 'access')]);
        const other = await asked('POST', `${visit.path}/join`, pair.doctor, { body: { device_type: 'mobile' } });
        assert.deepEqual(other.rows, [by('SESSION_CHANGED', 'access')]);
        assert.deepEqual((await asked('PUT', `${visit.path}/notes`, pair.doctor, { body: { session_notes: 'Rest.' } })).rows, [by('NOTES_UPDATED')]);
        const report = await asked('POST', `${visit.path}/quality`, pair.doctor, { body: { average_latency_ms: 20 }, status: 204 });
        assert.deepEqual(report.rows, [by('QUALITY_REPORTED', 'access')]);
        assert.deepEqual((await asked('POST', `${visit.path}/leave`, pair.doctor)).rows, [by('USER_LEFT')]);
        assert.deepEqual((await asked('POST', `${visit.path}/leave`, pair.doctor)).rows, [by('SESSION_READ', 'access')]);
        assert.deepEqual((await asked('POST', `${visit.path}/end`, pair.doctor, { body: {} })).rows, [by('SESSION_ENDED')]);
        const second = await world().visit();
        const cancelled = await asked('POST', `${second.path}/cancel`, world().admin, { body: { cancellation_reason: 'No time to come.' } });
        assert.deepEqual(cancelled.rows, [row('SESSION_CANCELLED', second, 'admin-1', 'CLINIC_ADMIN', 'life')]);
        const shown = (await world().client.get(`${visit.path}/events`, pair.doctor)).body.map((each) => each.event_type);
        assert.deepEqual(shown, ['SESSION_CREATED', 'MEETING_CREATED', 'USER_JOINED', 'NOTES_UPDATED', 'USER_LEFT', 'SESSION_ENDED']);
    });

    test('attempts that are refused', async () => {
        const visit = await world().visit();
        const stranger = world().pair();
        const denied = (of) => [row('ACCESS_DENIED', of, stranger.doctorId, 'DOCTOR', 'access')];
        const attempts = [
            ['GET', visit.path],
            ['GET', `${visit.path}/events`],
            ['POST', `${visit.path}/join`, {}],
            ['POST', `${visit.path}/start`],
            ['POST', `${visit.path}/leave`],
            ['POST', `${visit.path}/end`, {}],
            ['POST', `${visit.path}/cancel`, { cancellation_reason: 'I want it to be gone.' }],
            ['PUT', `${visit.path}/notes`, { session_notes: 'x' }],
            ['POST', `${visit.path}/transcription`, {}],
            ['DELETE', `${visit.path}/transcription`],
            ['POST', `${visit.path}/quality`, { average_latency_ms: 20 }],
        ];
        for (const [method, path, body] of attempts) {
            assert.deepEqual((await asked(method, path, stranger.doctor, { body, status: 403 })).rows, denied(visit), `${method} ${path}`);
        }
        const list = await asked('GET', `${sessions}/patient/${visit.patientId}`, stranger.doctor, { status: 403 });
        assert.deepEqual(list.rows, denied());
        assert.deepEqual((await asked('GET', `${sessions}/${randomUUID()}`, stranger.doctor, { status: 404 })).rows, []);
    });

    test('no endpoint that shows or changes a session is without a row', async () => {
        const visit = await world().visit({ waiting_room: true, appointment_id: world().newAppointment() });
        const spare = await world().visit();
        const later = new Date(Date.parse(visit.booked.scheduled_start_time) + 7200_000).toISOString();
        const waiter = (verb) => [`${visit.path}/waiting-room/${visit.patientId}/${verb}`, visit.doctor, { body: {} }];
        let invited;
        let spent;
        const steps = {
            'post /sessions': () => [sessions, visit.patient, { body: world().booking(visit, { scheduled_start_time: later }), status: 201 }],
            'get /sessions': () => [sessions, visit.doctor],
            'get /sessions/{session_id}': () => [visit.path, visit.patient],
            'patch /sessions/{session_id}': () => [spare.path, spare.doctor, { body: { scheduled_start_time: later }, headers: { 'If-Match': '*' } }],
            'get /sessions/{session_id}/events': () => [`${visit.path}/events`, visit.doctor],
            'get /sessions/by-appointment/{appointment_id}': () => [`${sessions}/by-appointment/${visit.booked.appointment_id}`, visit.doctor],
            'get /sessions/doctor/{doctor_id}': () => [`${sessions}/doctor/${visit.doctorId}`, visit.doctor],
            'get /sessions/patient/{patient_id}': () => [`${sessions}/patient/${visit.patientId}`, visit.patient],
            'get /patients/{patient_id}/export': () => [`/api/video/patients/${visit.patientId}/export`, world().admin],
            'post /sessions/{session_id}/join': () => [`${visit.path}/join`, visit.patient, { body: {}, status: 202 }],
            'get /sessions/{session_id}/waiting-room': () => [`${visit.path}/waiting-room`, visit.doctor],
            'post /sessions/{session_id}/waiting-room/{user_id}/deny': () => waiter('deny'),
            'post /sessions/{session_id}/waiting-room/{user_id}/admit': () => waiter('admit'),
            'post /sessions/{session_id}/waiting-room/{user_id}/remove': () => waiter('remove'),
            'post /sessions/{session_id}/invitations': () => [`${visit.path}/invitations`, visit.doctor, { body: { role: 'INTERPRETER', name: 'Guest' }, status: 201 }],
            'get /sessions/{session_id}/invitations': () => [`${visit.path}/invitations`, visit.doctor],
            'post /invitations/redeem': () => ['/api/video/invitations/redeem', undefined, { body: { invitation: spent } }],
            'delete /sessions/{session_id}/invitations/{user_id}': () => [`${visit.path}/invitations/${invited}`, visit.doctor, { status: 204 }],
            'post /sessions/{session_id}/start': () => [`${visit.path}/start`, visit.doctor],
            'post /sessions/{session_id}/quality': () => [`${visit.path}/quality`, visit.doctor, { body: { average_latency_ms: 20 }, status: 204 }],
            'put /sessions/{session_id}/notes': () => [`${visit.path}/notes`, visit.doctor, { body: { session_notes: 'Rest.' } }],
            'post /sessions/{session_id}/leave': () => [`${visit.path}/leave`, visit.doctor],
            'post /sessions/{session_id}/end': () => [`${visit.path}/end`, visit.doctor, { body: {} }],
            'post /sessions/{session_id}/cancel': () => [`${spare.path}/cancel`, spare.doctor, { body: { cancellation_reason: 'No time to come.' } }],
        };
        for (const [step, make] of Object.entries(steps)) {
            const [path, token, options] = make();
            const { answer, rows } = await asked(step.split(' ')[0].toUpperCase(), path, token, options);
            const whole = rows.filter((each) => !each.includes('|-|') || /^(SESSIONS_LISTED|PATIENT_EXPORTED)/.test(each));
            assert.ok(whole.some((each) => each.includes('|127.0.0.1|')), `${step}: ${rows.join()}`);
            if (step === 'post /sessions/{session_id}/invitations') ({ user_id: invited, invitation: spent } = answer.body);
        }
        // A stream has no end to wait for, and transcription needs AWS; tests of their own have both.
        const apart = ['get /sessions/{session_id}/stream', 'post /sessions/{session_id}/transcription', 'delete /sessions/{session_id}/transcription'];
        const documented = Object.entries(world().client.document.paths)
            .filter(([path]) => /^\/api\/video\/(sessions|patients|invitations)/.test(path))
            .flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method} ${path.replace('/api/video', '')}`));
        assert.deepEqual(documented.filter((each) => !apart.includes(each)).sort(), Object.keys(steps).sort());
    });

    test('untouched, it verifies; and goes on to after a restart', async () => {
        await audit().settled();
        const before = await audit().verify();
        assert.deepEqual([before.code, before.stderr], [0, ''], before.text);
        assert.match(before.text, /^\d+ rows in the chain: the trail is whole\.\n$/);
        await world().server.terminate();
        assert.equal((await audit().verify()).code, 0);
        await world().server.kill();
        await world().server.boot();
        await (await world().visit()).get();
        await audit().settled();
        assert.equal((await audit().verify()).code, 0);
    });
});

eachStore('who changes the trail is found', (world) => {
    const audit = () => new Audit(world());
    const fill = async () => {
        const visit = await world().visit();
        for (let i = 0; i < 10; ++i) await visit.get();
        await audit().settled();
        return await audit().newest();
    };
    /** Does it, looks, and undoes it: the trail is whole before and after. */
    const finds = async (change, undo, expected) => {
        await audit().sql(change);
        const found = await audit().verify();
        await audit().sql(undo);
        assert.equal(found.code, 1, found.text);
        for (const pattern of [expected].flat()) assert.match(found.text, pattern);
        const again = await audit().verify();
        assert.equal(again.code, 0, again.text);
    };
    const keep = (where) => `create table kept as select * from ${where};`;
    const back = `insert into ${table} select * from kept; drop table kept;`;

    test('a changed row, whatever is changed', async () => {
        const at = (await fill()) - 5;
        const changes = {
            user_id: `'somebody-else'`, event_type: `'SESSION_LISTED'`, event_description: `'x'`, session_id: `'x'`, role: `'PATIENT'`, address: `'10.0.0.1'`,
            request_id: `'x'`, kind: `'life'`, event_metadata: `'{}'`,
            event_timestamp: world().postgres ? `event_timestamp - interval '1 microsecond'` : 'event_timestamp - 1',
        };
        for (const [column, value] of Object.entries(changes)) {
            await finds(
                `${keep(`${table} where position = ${at}`)} update ${table} set ${column} = ${value} where position = ${at};`,
                `delete from ${table} where position = ${at}; ${back}`,
                new RegExp(`^position ${at}: row [-0-9a-f]+ was changed$`, 'm'),
            );
        }
    });

    test('removed rows, in the middle and at the end', async () => {
        const end = await fill();
        await finds(`${keep(`${table} where position = ${end - 5}`)} delete from ${table} where position = ${end - 5};`, back, new RegExp(`^position ${end - 5} is missing: removed$`, 'm'));
        await finds(
            `${keep(`${table} where position between ${end - 5} and ${end - 3}`)} delete from ${table} where position between ${end - 5} and ${end - 3};`,
            back,
            new RegExp(`^positions ${end - 5} to ${end - 3} are missing: removed$`, 'm'),
        );
        await finds(
            `${keep(`${table} where position > ${end - 3}`)} delete from ${table} where position > ${end - 3};`,
            back,
            new RegExp(`^positions ${end - 2} to ${end} are missing: the end was cut off$`, 'm'),
        );
    });

    test('exchanged and inserted rows, and a row that never was', async () => {
        const end = await fill();
        const [first, second] = [end - 6, end - 4];
        const swap = `update ${table} set position = -1 where position = ${first}; update ${table} set position = ${first} where position = ${second};
            update ${table} set position = ${second} where position = -1;`;
        await finds(swap, swap, new RegExp(`^position ${first}: the link of row [-0-9a-f]+ does not fit`, 'm'));
        const columns = 'event_id, session_id, event_type, event_timestamp, kind';
        const made = `insert into ${table} (${columns}, position) select 'forged', session_id, event_type, event_timestamp, kind, position + 1 from ${table} where position = ${end};`;
        await finds(made, `delete from ${table} where event_id = 'forged';`, [
            new RegExp(`^position ${end + 1}: row forged has no MAC: not written by this service$`, 'm'),
            new RegExp(`^the head stands at position ${end}, the chain goes on to position ${end + 1}`, 'm'),
        ]);
    });

    test('a head that was changed, set back, or removed', async () => {
        const end = await fill();
        const restore = `delete from ${head}; insert into ${head} select * from kept; drop table kept;`;
        await finds(`${keep(head)} update ${head} set position = ${end - 1};`, restore, /^the head was changed$/m);
        await finds(`${keep(head)} delete from ${head};`, restore, /^the head is missing: removed$/m);
        await finds(`${keep(head)} update ${head} set position = 0, chain_mac = '', inherit_to = 0, mac = '';`, restore, /^the head was set back to the beginning$/m);
    });

    test('a database that was put back is known by its checkpoint', async () => {
        const end = await fill();
        const file = join(world().server.folder, 'checkpoints');
        const earlier = await audit().command('checkpoint');
        assert.match(earlier.text, new RegExp(`^vc-audit-1 ${end} \\S+ \\S+ \\S+\\n$`));
        // What a back-up would hold: the rows and the head of this moment.
        await audit().sql(`create table kept_head as select * from ${head};`);
        const later = await fill();
        const newest = await audit().command('checkpoint');
        writeFileSync(file, earlier.text + newest.text);
        const whole = await audit().verify('--since', file);
        assert.equal(whole.code, 0, whole.text);
        assert.match(whole.text, /2 checkpoints contained/);

        await world().server.terminate();
        await audit().sql(`delete from ${table} where position > ${end}; delete from ${head}; insert into ${head} select * from kept_head;`);
        assert.equal((await audit().verify()).code, 0, 'the database by itself looks whole');
        const found = await audit().verify('--since', file);
        assert.equal(found.code, 1);
        assert.match(found.text, new RegExp(`^position ${later}: the checkpoint of \\S+ lies behind the end`, 'm'));
        // The service goes on from there and reaches the position again, with other rows.
        await world().server.boot();
        while ((await fill()) < later);
        const rewritten = await audit().verify('--since', file);
        assert.equal(rewritten.code, 1);
        assert.match(rewritten.text, new RegExp(`^position ${later}: the checkpoint of \\S+ is not in the chain`, 'm'));
        writeFileSync(file, newest.text.replace(`vc-audit-1 ${later}`, `vc-audit-1 ${later - 1}`));
        assert.match((await audit().verify('--since', file)).stderr, /line 1: the checkpoint was changed/);
    });
});

test('two processes on one database write under load, and the trail is whole all the time', async () => {
    const world = await World.open({ store: 'postgres' });
    const audit = new Audit(world);
    let other;
    let client;
    try {
        other = await Server.start({ databaseUrl: world.postgres.url(world.database) });
        client = await Client.connect(other.url);
        const visit = await world.visit();
        let going = true;
        let asked = 0;
        const load = [world.client, client].flatMap((each) =>
            Array.from({ length: 8 }, async () => {
                while (going) {
                    assert.equal((await each.get(visit.path, visit.doctor)).status, 200);
                    ++asked;
                }
            }),
        );
        for (let i = 0; i < 5; ++i) {
            const found = await audit.verify();
            assert.equal(found.code, 0, found.text);
        }
        going = false;
        await Promise.all(load);
        await audit.settled();
        const found = await audit.verify();
        assert.equal(found.code, 0, found.text);
        assert.equal(Number(found.text.match(/^\d+/)[0]), asked + 1);
        const [rows] = await audit.sql(`select count(*) from ${table} where event_type = 'SESSION_READ'`);
        assert.equal(Number(rows), asked);
    } finally {
        client?.close();
        await other?.stop();
        await world.close();
    }
});

eachStore('a key is changed', (world) => {
    test('the old one is named and the trail verifies; unnamed it does not', async () => {
        const audit = new Audit(world());
        const { server } = world();
        await (await world().visit()).get();
        await audit.settled();
        await server.terminate();
        server.env.AUDIT_KEY = 'k'.repeat(40);
        const unknown = await audit.verify();
        assert.equal(unknown.code, 1);
        assert.match(unknown.text, /has a MAC of an unknown key: forged, or AUDIT_KEY_OLD is missing/);
        server.env.AUDIT_KEY_OLD = 'derived';
        await server.boot();
        await (await world().visit()).get();
        await audit.settled();
        const found = await audit.verify();
        assert.equal(found.code, 0, found.text);
        const marks = await audit.sql(`select distinct substr(row_mac, 1, 8) from ${table}`);
        assert.equal(marks.length, 2);
    });
});

eachStore(
    'administrators break the glass',
    (world) => {
        const audit = () => new Audit(world());
        const get = (path, headers = {}) => world().client.request('GET', path, { token: world().admin, headers });
        const because = { 'X-Break-Glass-Reason': reason };

        test('no clinical text without a reason', async () => {
            const visit = await world().visit({ chief_complaint: 'Pain in the chest' });
            for (const headers of [{}, { 'X-Break-Glass-Reason': 'short' }, { 'X-Break-Glass-Reason': 'x'.repeat(501) }]) {
                for (const path of [visit.path, `${visit.path}/events`]) {
                    const refused = await get(path, headers);
                    assert.equal(refused.status, 403);
                    assert.match(refused.body.detail, /X-Break-Glass-Reason \(10 to 500 characters\)/);
                }
            }
            const list = await get(`${sessions}/patient/${visit.patientId}`);
            assert.deepEqual(list.body.sessions.map((each) => [each.session_id, each.chief_complaint]), [[visit.id, null]]);
            assert.equal((await visit.get()).body.chief_complaint, 'Pain in the chest');
            const cancelled = await world().client.post(`${visit.path}/cancel`, world().admin, { cancellation_reason: 'Nobody can come.' });
            assert.deepEqual([cancelled.status, cancelled.body.chief_complaint], [200, null]);
        });

        test('with one: everything, and everybody hears of it', async () => {
            const visit = await world().visit({ chief_complaint: 'Pain in the chest' });
            const id = randomUUID();
            const shown = await get(visit.path, { ...because, 'X-Request-ID': id });
            assert.deepEqual([shown.status, shown.body.chief_complaint], [200, 'Pain in the chest']);
            assert.deepEqual(await audit().rowsOf(id), [`BREAK_GLASS|${visit.id}|admin-1|CLINIC_ADMIN|127.0.0.1|access`]);
            const list = await get(`${sessions}/patient/${visit.patientId}`, because);
            assert.equal(list.body.sessions[0].chief_complaint, 'Pain in the chest');
            const messages = await audit().sql(`select routing_key from video_consultation_outbox where session_id = '${visit.id}'`);
            assert.ok(messages.includes('video.access.break_glass'), messages.join());
            await eventually(() => world().server.log.includes('break-glass access'), 'the log says so');
            for (const secret of [reason, 'admin-1', 'Pain in the chest']) assert.ok(!world().server.log.includes(secret), secret);
            await audit().settled();
            assert.equal((await audit().verify()).code, 0);
        });
    },
    { env: { ADMIN_ACCESS: 'break-glass' } },
);

test('what cannot be written down is not shown', async () => {
    const world = await World.open({ store: 'postgres' });
    try {
        const visit = await world.visit();
        const audit = new Audit(world);
        await audit.sql(`alter table ${table} add constraint full_disk check (event_type <> 'SESSION_READ')`);
        const answer = await visit.get();
        assert.equal(answer.status, 503);
        assert.equal(answer.text.includes(visit.patientId), false);
        await audit.sql(`alter table ${table} drop constraint full_disk`);
        assert.equal((await visit.get()).status, 200);
    } finally {
        await world.close();
    }
});
