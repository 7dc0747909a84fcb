// Full load for half an hour (SOAK_MINUTES), which is what a clinic does in eight: visits booked, joined, ended as fast as
// they go, on both stores at once, with calls in progress. Memory and descriptors stay where they are.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Ledger } from '../faults/lib/ledger.mjs';
import { Neighbourhood } from '../lib/neighbourhood.js';
import { programPath } from '../lib/server.js';

const kMinutes = Number(process.env.SOAK_MINUTES ?? 30);
/** Caches fill and pools grow in the first part; the slope is taken from the rest. */
const kWarm = 0.2;
/** What noise leaves open: a leak of one session's size would be two orders of magnitude above it. */
const kMostKibPerMinute = 64;
const kMostDescriptorsPerMinute = 0.5;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const residentKib = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);
const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** Of the straight line through the points with the least squares. */
function slope(points) {
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [x, y] = [mean(points.map((p) => p[0])), mean(points.map((p) => p[1]))];
    return points.reduce((sum, p) => sum + (p[0] - x) * (p[1] - y), 0) / points.reduce((sum, p) => sum + (p[0] - x) ** 2, 0);
}

/** Two people talk, hang up, and the next two come; until `until`. */
async function calls(server, until) {
    let made = 0;
    while (Date.now() < until) {
        const child = spawn(join(dirname(programPath), 'bench', 'media', 'bench_media'), ['load'], { stdio: ['pipe', 'pipe', 'inherit'] });
        const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
        const tokens = { doctor: server.token('DOCTOR', 'soak-doctor', 86_400), patient: server.token('PATIENT', 'soak-patient', 86_400) };
        const call = async (path, who, body) =>
            (await fetch(`${server.url}/api/video/sessions${path}`, { method: 'POST', headers: { Authorization: `Bearer ${tokens[who]}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body) })).json();
        const booked = await call('', 'doctor', { booking_type: 'DIRECT_DOCTOR', doctor_id: 'soak-doctor', patient_id: 'soak-patient', scheduled_start_time: '2031-05-05T10:00:00Z' });
        const [doctor, patient] = [await call(`/${booked.session_id}/join`, 'doctor', {}), await call(`/${booked.session_id}/join`, 'patient', {})];
        child.stdin.write(`room chime ${doctor.media_placement.signaling_url} ${doctor.attendee.join_token} ${patient.attendee.join_token}\n`);
        child.stdin.write('measure 1 20\n');
        assert.equal((await lines.next()).value.trim(), 'begin');
        const figures = JSON.parse((await lines.next()).value);
        assert.ok(figures, 'media flowed');
        child.stdin.end();
        await once(child, 'close');
        await call(`/${booked.session_id}/end`, 'doctor', {});
        ++made;
    }
    return made;
}

test(`full load for ${kMinutes} minutes: memory and descriptors are flat`, async (t) => {
    const until = Date.now() + kMinutes * 60_000;
    await Promise.all(
        ['sqlite', 'postgres'].map(async (store) => {
            const here = await Neighbourhood.open({ broker: true, store });
            try {
                const { server } = here.world;
                const { pid } = server.process;
                const ledger = new Ledger(() => server, { clients: 8 }).start();
                const talking = calls(server, until);
                const [memory, files] = [[], []];
                const begun = Date.now();
                while (Date.now() < until) {
                    await pause(Math.min(5000, kMinutes * 500));
                    const minute = (Date.now() - begun) / 60_000;
                    memory.push([minute, residentKib(pid)]);
                    files.push([minute, descriptors(pid)]);
                    // Nobody wants to prove half a million visits; their number is what matters here.
                    for (const [marker, visit] of ledger.visits) if (visit.status === 'COMPLETED') ledger.visits.delete(marker);
                    ledger.times.length = 0;
                    here.recorder.messages.length = 0;
                }
                const made = await talking;
                await ledger.stop();
                const warm = (points) => points.slice(Math.floor(points.length * kWarm));
                const [kib, count] = [slope(warm(memory)), slope(warm(files))];
                t.diagnostic(
                    `${store}: ${ledger.acknowledged} requests acknowledged, ${ledger.repeated} repeated, ${made} calls; resident ${(warm(memory)[0][1] / 1024).toFixed(1)} → ` +
                        `${(memory.at(-1)[1] / 1024).toFixed(1)} MiB, slope ${kib.toFixed(1)} KiB a minute; descriptors ${files[0][1]} → ${files.at(-1)[1]}, slope ${count.toFixed(3)} a minute`,
                );
                assert.ok(kib < kMostKibPerMinute, `memory grows by ${kib} KiB a minute`);
                assert.ok(count < kMostDescriptorsPerMinute, `descriptors grow by ${count} a minute`);
            } finally {
                await here.close();
            }
        }),
    );
});
