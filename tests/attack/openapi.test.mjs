// Requests made from the OpenAPI document, right ones and wrong ones, by every kind of caller: no answer is a 5xx, and none
// is one that the document does not describe. ATTACK_REQUESTS (50,000) on each store; ATTACK_SEED gives a run again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../lib/world.js';
import { sign } from '../lib/tokens.js';
import { Random } from './lib/random.mjs';
import { Values } from './lib/values.mjs';

const kRequests = Number(process.env.ATTACK_REQUESTS ?? 50_000);
const kSeed = Number(process.env.ATTACK_SEED ?? Math.floor(Math.random() * 2 ** 32));
const kClients = 8;
/** Ends by itself only when the session does; and what closes the service's own doors is no subject here. */
const kStreams = /\/stream$/;

/** Half a character cannot be sent. */
const encode = (text) => encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));

class Attacker {
    constructor(world, seed) {
        this.world = world;
        this.random = new Random(seed);
        this.values = new Values(this.random, world.client.document);
        this.operations = Object.entries(world.client.document.paths).flatMap(([path, item]) =>
            ['get', 'post', 'put', 'patch', 'delete'].filter((method) => item[method] && !kStreams.test(path)).map((method) => ({ path, method: method.toUpperCase(), ...item[method], common: item.parameters ?? [] })));
        this.tally = new Map();
    }

    async prepare() {
        const { world } = this;
        const states = ['SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED'];
        this.visits = await Promise.all([...states, ...states].map(async (state) => (await world.visit()).to(state)));
        this.ids = [...this.visits.map((visit) => visit.id), ...this.visits.flatMap((visit) => [visit.doctorId, visit.patientId]), '54a780e9-cdea-473a-ad93-801d19d54ff4'];
        const { secret } = world.server;
        const now = Math.floor(Date.now() / 1000);
        this.bad = [
            undefined, 'x', 'a.b.c', sign({ user_id: '1', role: 'ADMIN', exp: now - 1000, iat: now - 2000 }, secret), sign({ user_id: '1', role: 'ADMIN', exp: now + 1000 }, 'another secret that is long enough'),
            sign({ user_id: '1', role: 'ADMIN', exp: now + 1000 }, secret, { alg: 'none' }), world.token('PHARMACIST', '7'), world.token('x'.repeat(40), '7'),
        ];
    }

    token(visit) {
        const { random, world } = this;
        if (random.chance(0.12)) return random.pick(this.bad);
        if (random.chance(0.15)) return world.admin;
        return random.chance(0.85) ? random.pick([visit.doctor, visit.patient]) : random.pick(this.visits).doctor;
    }

    parameter(parameter, visit) {
        const { random, values } = this;
        if (parameter.in === 'path') {
            if (random.chance(0.6)) return /doctor/.test(parameter.name) ? visit.doctorId : /patient/.test(parameter.name) ? visit.patientId : visit.id;
            return random.chance(0.6) ? random.pick(this.ids) : values.strange();
        }
        const value = random.chance(0.7) ? values.fitting(parameter.schema) : values.strange();
        return typeof value === 'object' ? JSON.stringify(value) : String(value);
    }

    make() {
        const { random, values } = this;
        const operation = random.pick(this.operations);
        const visit = random.pick(this.visits);
        const headers = {};
        const query = [];
        let careless = false;
        let target = operation.path;
        for (const each of [...operation.common, ...(operation.parameters ?? [])]) {
            const parameter = values.schema(each);
            if (parameter.in !== 'path' && !parameter.required && random.chance(0.5)) continue;
            const value = this.parameter(parameter, visit);
            if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encode(value).replaceAll('.', '%2E') || '%20');
            else if (parameter.in === 'query') query.push(`${parameter.name}=${encode(value)}`);
            else if (/^[\x20-\x7e]*$/.test(value)) {
                headers[parameter.name] = value.trim();
                // What it would mean may be of no concern here, and then it may be anything.
                careless ||= !this.world.client.ajv.validate(values.schema(parameter.schema), value.trim());
            }
        }
        if (random.chance(0.05)) query.push(`${encode(values.strange())}=${encode(values.strange())}`);
        if (query.length) target += `?${query.join('&')}`;
        // A body that need not be there is taken or left, whatever it is: then only the answer can be compared.
        const request = { method: operation.method, target, token: this.token(visit), headers, careless: careless || operation.requestBody?.required === false };
        const schema = operation.requestBody?.content?.['application/json']?.schema;
        if (schema || random.chance(0.1)) {
            const value = values.fitting(schema ?? {});
            // Otherwise nearly every booking would be for strangers.
            if (value?.doctor_id !== undefined && random.chance(0.8)) Object.assign(value, { doctor_id: visit.doctorId, patient_id: visit.patientId });
            request.text = JSON.stringify(random.chance(0.5) ? value : values.mutated(value)) ?? '';
            if (random.chance(0.05)) request.text = request.text.slice(0, random.below(request.text.length + 1));
            if (random.chance(0.03)) request.text = random.pick(['', '[', '{"a":1,"a":2}', '['.repeat(2000), '"\\ud800"', '{"\\u0000":1}', '1e999999', 'nul', ' \t\r\n{}']);
            if (random.chance(0.03)) headers['Content-Type'] = random.pick(['text/plain', 'application/xml', '', 'application/json; charset=utf-16', 'multipart/form-data']);
        }
        return request;
    }

    async attack(count) {
        for (let number = 0; number < count; ++number) {
            const { method, target, ...options } = this.make();
            const answer = await this.world.client.request(method, target, options);
            assert.ok(answer.status < 500 || answer.status === 501, `${method} ${target} ${JSON.stringify(options).slice(0, 2000)} → ${answer.status} ${answer.text}`);
            this.tally.set(answer.status, (this.tally.get(answer.status) ?? 0) + 1);
        }
    }
}

for (const store of ['sqlite', 'postgres']) {
    test(`${kRequests} requests made from the document (${store}): no 5xx, no answer it does not describe`, { timeout: 1_200_000 }, async (t) => {
        t.diagnostic(`ATTACK_SEED=${kSeed}`);
        const world = await World.open({ store });
        try {
            const attackers = Array.from({ length: kClients }, (_, number) => new Attacker(world, kSeed + number));
            await Promise.all(attackers.map((attacker) => attacker.prepare()));
            await Promise.all(attackers.map((attacker) => attacker.attack(Math.ceil(kRequests / kClients))));
            assert.equal(world.server.process.exitCode, null);
            assert.equal((await world.client.get('/health')).body.database, 'healthy');
            assert.ok(!/crashed|request failed/.test(world.server.log), world.server.log.split('\n').filter((line) => /crashed|request failed/.test(line)).slice(0, 5).join('\n'));
            const tally = new Map();
            for (const attacker of attackers) for (const [status, count] of attacker.tally) tally.set(status, (tally.get(status) ?? 0) + count);
            t.diagnostic([...tally].sort().map(([status, count]) => `${status}: ${count}`).join(', '));
            assert.ok((tally.get(200) ?? 0) > kRequests / 20 && (tally.get(422) ?? 0) > kRequests / 50, 'both right and wrong requests were made');
        } finally {
            await world.close();
        }
    });
}
