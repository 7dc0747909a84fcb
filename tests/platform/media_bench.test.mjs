// The load tool of bench/media against the real service: two visits of native participants for a moment.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { programPath, Server } from '../lib/server.js';
import { soon } from '../lib/world.js';

const tool = process.env.BENCH_MEDIA ?? join(dirname(programPath), 'bench', 'media', 'bench_media');
const seconds = 2;
const frameRate = 30;

let server;
before(async () => {
    assert.ok(existsSync(tool), `${tool} is missing: tools/build release builds it`);
    server = await Server.start({ env: { MEETING_PROVIDER: 'embedded' } });
});
after(() => server?.stop());

async function ask(path, token, body) {
    const answer = await fetch(server.url + path, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
    });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.json();
}

/** Books a visit, joins for both, and gives the tool's order for it. */
async function visit(number) {
    const patient = server.token('PATIENT', `p${number}`);
    const doctor = server.token('DOCTOR', `d${number}`);
    const session = await ask('/api/video/sessions', patient, {
        booking_type: 'DIRECT_DOCTOR',
        doctor_id: `d${number}`,
        patient_id: `p${number}`,
        clinic_id: 4,
        scheduled_start_time: soon,
        consultation_duration_minutes: 30,
        chief_complaint: 'load',
    });
    const path = `/api/video/sessions/${session.session_id}/join`;
    const joins = [await ask(path, patient, {}), await ask(path, doctor, {})];
    const control = new URL(joins[0].media_placement.signaling_url).pathname;
    return `room chime ws://127.0.0.1:${server.port}${control} ${joins.map((join) => join.attendee.join_token).join(' ')}`;
}

test('audio and video of native participants arrive, none lost', { timeout: 60_000 }, async () => {
    const child = spawn(tool, ['load'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    try {
        const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
        child.stdin.write(`${await visit(1)}\n${await visit(2)}\nmeasure 2 ${seconds}\n`);
        const began = (await lines.next()).value;
        assert.equal(began, 'begin', began);
        const seen = JSON.parse((await lines.next()).value);
        child.stdin.end('quit\n');
        assert.equal(await ended, 0);

        assert.equal(seen.participants, 4);
        assert.equal(seen.silent_streams, 0);
        assert.equal(seen.streams, 8, 'one audio and one video for each of the four');
        assert.equal(seen.video_lost + seen.audio_lost, 0);
        assert.equal(seen.refused, 0);
        assert.equal(seen.lost_connections, 0);
        // A machine that is busy with other things sends less.
        assert.ok(seen.video_expected > (4 * seconds * frameRate) / 4, `${seen.video_expected} video packets`);
        assert.ok(seen.audio_expected > (4 * seconds * 50) / 4, `${seen.audio_expected} audio packets`);
        assert.ok(seen.latency_p50_ms > 0);
    } finally {
        child.kill('SIGKILL');
        await ended;
    }
});
