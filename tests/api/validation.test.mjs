// Requests that break a rule: every fault at once, in the contract's words. The same code whatever the store, so one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachStore, sessions } from '../lib/world.js';

/** `type loc msg ctx` of each fault. */
const faults = (answer) => {
    assert.equal(answer.status, 422, answer.text);
    return answer.body.detail.map(({ type, loc, msg, ctx }) => [type, loc.join('.'), msg, ...(ctx ? [ctx] : [])]);
};

const int = (field, place = 'body') => ['int_parsing', `${place}.${field}`, 'Input should be a valid integer, unable to parse string as an integer'];
const long = (field, most) => ['string_too_long', `body.${field}`, `String should have at most ${most} characters`, { max_length: most }];
const text = (field) => ['string_type', `body.${field}`, 'Input should be a valid string'];
const missing = (field) => ['missing', `body.${field}`, 'Field required'];
const least = (field, ge, place = 'body') => ['greater_than_equal', `${place}.${field}`, `Input should be greater than or equal to ${ge}`, { ge }];
const most = (field, le, place = 'body') => ['less_than_equal', `${place}.${field}`, `Input should be less than or equal to ${le}`, { le }];
const date = (field, error, place = 'body') => ['datetime_from_date_parsing', `${place}.${field}`, `Input should be a valid datetime or date, ${error}`, { error }];
const choice = (field, expected, place = 'body') => ['enum', `${place}.${field}`, `Input should be ${expected}`, { expected }];
const noAppointment = ['value_error', 'body.appointment_id', 'Value error, appointment_id is required for clinic-based bookings', { error: {} }];

eachStore('validation', (world) => {
    const book = (changes, pair = world().pair()) => world().client.post(sessions, pair.patient, world().booking(pair, changes));

    test('booking: every rule of every field', async () => {
        const clinic = { booking_type: 'CLINIC_BASED' };
        const types = "'CLINIC_BASED' or 'DIRECT_DOCTOR'";
        const table = [
            [{ booking_type: undefined }, missing('booking_type')],
            [{ booking_type: 'VIDEO' }, choice('booking_type', types)],
            [{ booking_type: null }, choice('booking_type', types)],
            [{ ...clinic }, noAppointment],
            [{ ...clinic, appointment_id: null }, noAppointment],
            [{ ...clinic, appointment_id: '' }, noAppointment],
            [{ ...clinic, appointment_id: 'x'.repeat(37) }, long('appointment_id', 36)],
            [{ appointment_id: 5 }, text('appointment_id')],
            [{ doctor_id: undefined }, missing('doctor_id')],
            [{ doctor_id: 12 }, text('doctor_id')],
            [{ doctor_id: null }, text('doctor_id')],
            [{ doctor_id: 'x'.repeat(58) }, long('doctor_id', 57)],
            [{ doctor_id: '' }, ['string_too_short', 'body.doctor_id', 'String should have at least 1 character', { min_length: 1 }]],
            [{ patient_id: undefined }, missing('patient_id')],
            [{ patient_id: 34 }, text('patient_id')],
            [{ patient_id: 'x'.repeat(57) }, long('patient_id', 56)],
            [{ clinic_id: 'four' }, int('clinic_id')],
            [{ clinic_id: 4.5 }, ['int_from_float', 'body.clinic_id', 'Input should be a valid integer, got a number with a fractional part']],
            [{ clinic_id: [] }, ['int_type', 'body.clinic_id', 'Input should be a valid integer']],
            [{ clinic_id: 2 ** 31 }, most('clinic_id', 2 ** 31 - 1)],
            [{ clinic_id: -(2 ** 31) - 1 }, least('clinic_id', -(2 ** 31))],
            [{ scheduled_start_time: undefined }, missing('scheduled_start_time')],
            [{ scheduled_start_time: '' }, date('scheduled_start_time', 'input is too short')],
            [{ scheduled_start_time: 'tomorrow' }, date('scheduled_start_time', 'input is too short')],
            [{ scheduled_start_time: '2026-13-01T10:00:00' }, date('scheduled_start_time', 'month value is outside expected range of 1-12')],
            [{ scheduled_start_time: null }, ['datetime_type', 'body.scheduled_start_time', 'Input should be a valid datetime']],
            [{ scheduled_start_time: {} }, ['datetime_type', 'body.scheduled_start_time', 'Input should be a valid datetime']],
            [{ consultation_duration_minutes: 14 }, least('consultation_duration_minutes', 15)],
            [{ consultation_duration_minutes: 121 }, most('consultation_duration_minutes', 120)],
            [{ consultation_duration_minutes: null }, ['int_type', 'body.consultation_duration_minutes', 'Input should be a valid integer']],
            [{ consultation_duration_minutes: 30.5 }, ['int_from_float', 'body.consultation_duration_minutes', 'Input should be a valid integer, got a number with a fractional part']],
            [{ consultation_duration_minutes: 'half an hour' }, int('consultation_duration_minutes')],
            [{ chief_complaint: 7 }, text('chief_complaint')],
            [{ chief_complaint: 'x'.repeat(5001) }, long('chief_complaint', 5000)],
            [{ chief_complaint: 'a\u0000b' }, ['value_error', 'body.chief_complaint', 'Value error, the character U+0000 is not allowed', { error: {} }]],
        ];
        for (const [changes, expected] of table) assert.deepEqual(faults(await book(changes)), [expected], JSON.stringify(changes));
    });

    test('booking: a media region is one of those that are offered', async () => {
        const answer = await book({ media_region: 'eu-central-1' });
        assert.equal(answer.status, 201, answer.text);
        assert.equal(answer.body.media_region, 'eu-central-1');
        assert.equal((await book({ media_region: null })).body.media_region, null);
        const offered = "'us-east-1' or 'eu-central-1'";
        for (const wrong of ['us-west-2', 'US-EAST-1', '', 1]) assert.deepEqual(faults(await book({ media_region: wrong })), [choice('media_region', offered)], String(wrong));
    });

    test('booking: without looking appointments up, nothing is left to them', async () => {
        const body = { booking_type: 'CLINIC_BASED', appointment_id: world().newAppointment() };
        assert.deepEqual(faults(await world().client.post(sessions, world().admin, body)), [missing('doctor_id'), missing('patient_id'), missing('scheduled_start_time')]);
    });

    test('booking: doctor and patient are two people', async () => {
        const pair = world().pair();
        assert.deepEqual(faults(await book({ doctor_id: pair.patientId }, pair)), [
            ['value_error', 'body.patient_id', 'Value error, doctor and patient must be two people', { error: {} }],
        ]);
    });

    test('booking: all faults at once, in field order, with what was sent', async () => {
        const body = { clinic_id: 'x', consultation_duration_minutes: 10, booking_type: 'CLINIC_BASED', doctor_id: 5 };
        const answer = await world().client.post(sessions, world().admin, body);
        assert.deepEqual(faults(answer), [
            noAppointment, text('doctor_id'), missing('patient_id'), int('clinic_id'), missing('scheduled_start_time'), least('consultation_duration_minutes', 15),
        ]);
        assert.deepEqual(answer.body.detail.map((each) => each.input), [null, 5, body, 'x', body, 10]);
    });

    test('booking: what is taken although it is written otherwise', async () => {
        for (const [changes, field, expected] of [
            [{ clinic_id: '4' }, 'clinic_id', 4],
            [{ clinic_id: null }, 'clinic_id', null],
            [{ consultation_duration_minutes: '45' }, 'consultation_duration_minutes', 45],
            [{ consultation_duration_minutes: 45.0 }, 'consultation_duration_minutes', 45],
            [{ appointment_id: '' }, 'appointment_id', null],
            [{ chief_complaint: '' }, 'chief_complaint', ''],
            [{ chief_complaint: 'ü \u{1f600} "quoted" \\ \n <b>' }, 'chief_complaint', 'ü \u{1f600} "quoted" \\ \n <b>'],
            [{ scheduled_start_time: '2096-01-25' }, 'scheduled_start_time', '2096-01-25T00:00:00Z'],
            [{ scheduled_start_time: '2096-01-25 14:00' }, 'scheduled_start_time', '2096-01-25T14:00:00Z'],
            [{ scheduled_start_time: '2096-01-25T14:00:00.5+05:30' }, 'scheduled_start_time', '2096-01-25T08:30:00.500000Z'],
            [{ scheduled_start_time: 3978345600 }, 'scheduled_start_time', '2096-01-25T16:00:00Z'],
            [{ scheduled_start_time: 3978345600000 }, 'scheduled_start_time', '2096-01-25T16:00:00Z'],
            [{ unknown_field: { deep: [1] } }, 'status', 'SCHEDULED'],
        ]) {
            const answer = await book(changes);
            assert.equal(answer.status, 201, answer.text);
            assert.equal(answer.body[field], expected, JSON.stringify(changes));
        }
    });

    test('bodies that are missing, no JSON, or no object', async () => {
        const { client } = world();
        const visit = await world().visit();
        const noObject = ['model_attributes_type', 'body', 'Input should be a valid dictionary or object to extract fields from'];
        for (const [method, target] of [['POST', sessions], ['POST', `${visit.path}/join`], ['POST', `${visit.path}/end`],
            ['POST', `${visit.path}/cancel`], ['PUT', `${visit.path}/notes`]]) {
            const send = (content, headers) => client.request(method, target, { token: visit.doctor, text: content, headers });
            assert.deepEqual(faults(await client.request(method, target, { token: visit.doctor })), [['missing', 'body', 'Field required']]);
            assert.deepEqual(faults(await send('null')), [['missing', 'body', 'Field required']]);
            for (const other of ['[]', '"text"', '1', 'true']) assert.deepEqual(faults(await send(other)), [noObject], other);
            for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
                assert.deepEqual(faults(await send('{}', { 'Content-Type': type })), [noObject], type);
            }
            for (const broken of ['{', '{"a":}', '{} {}', "{'a':1}", '{"a":\u0000}', `${'['.repeat(500)}`, '{"a":1e400}', '{"a":"\\ud800"}']) {
                const [type, loc, msg, ctx] = faults(await send(broken))[0];
                assert.equal(type, 'json_invalid', broken);
                assert.match(loc, /^body\.\d+$/);
                assert.equal(msg, 'JSON decode error');
                assert.ok(ctx.error.length > 0);
            }
            const notUtf8 = await client.request(method, target, { token: visit.doctor, text: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) });
            assert.equal(faults(notUtf8)[0][0], 'json_invalid');
        }
    });

    test('join, end, cancel, notes', async () => {
        const visit = await world().visit();
        assert.deepEqual(faults(await visit.join(visit.doctor, { device_type: 1, browser_info: [] })), [text('device_type'), text('browser_info')]);
        assert.deepEqual(faults(await visit.end(visit.doctor, { session_notes: 1, connection_quality_rating: 6 })), [text('session_notes'), most('connection_quality_rating', 5)]);
        assert.deepEqual(faults(await visit.end(visit.doctor, { session_notes: 'x'.repeat(5001), connection_quality_rating: 0 })), [long('session_notes', 5000), least('connection_quality_rating', 1)]);
        assert.deepEqual(faults(await visit.cancel(visit.doctor, 'too short')), [
            ['string_too_short', 'body.cancellation_reason', 'String should have at least 10 characters', { min_length: 10 }],
        ]);
        assert.deepEqual(faults(await visit.cancel(visit.doctor, 'x'.repeat(501))), [long('cancellation_reason', 500)]);
        assert.deepEqual(faults(await visit.cancel(visit.doctor, null)), [text('cancellation_reason')]);
        assert.deepEqual(faults(await world().client.post(`${visit.path}/cancel`, visit.doctor, {})), [missing('cancellation_reason')]);
        assert.deepEqual(faults(await visit.notes(visit.doctor, '')), [
            ['string_too_short', 'body.session_notes', 'String should have at least 1 character', { min_length: 1 }],
        ]);
        assert.deepEqual(faults(await visit.notes(visit.doctor, 'x'.repeat(5001))), [long('session_notes', 5000)]);
        assert.equal((await visit.notes(visit.doctor, 'é'.repeat(5000))).status, 200);
        assert.equal((await visit.get()).body.status, 'SCHEDULED');
    });

    test('queries of lists and usage', async () => {
        const { client, admin } = world();
        const statuses = "'SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED' or 'NO_SHOW'";
        const sorts = "'scheduled_start_time' or '-scheduled_start_time'";
        for (const list of [sessions, `${sessions}/doctor/1`, `${sessions}/patient/1`]) {
            for (const [query, expected] of [
                ['status=active', choice('status', statuses, 'query')],
                ['page=0', least('page', 1, 'query')],
                ['page=x', int('page', 'query')],
                ['page=', int('page', 'query')],
                ['page_size=0', least('page_size', 1, 'query')],
                ['page_size=101', most('page_size', 100, 'query')],
                ['booking_type=VIDEO', choice('booking_type', "'CLINIC_BASED' or 'DIRECT_DOCTOR'", 'query')],
                ['start_date=soon', date('start_date', 'input is too short', 'query')],
                ['end_date=2026-02-30', date('end_date', 'day value is outside expected range', 'query')],
                ['sort=doctor_id', choice('sort', sorts, 'query')],
            ]) {
                const answer = await client.get(`${list}?${query}`, admin);
                assert.deepEqual(faults(answer), [expected], query);
                assert.equal(answer.body.detail[0].input, query.split('=')[1]);
            }
            assert.equal(faults(await client.get(`${list}?page=0&page_size=0&status=x`, admin)).length, 3);
        }
        const usage = (query) => client.get(`/api/video/metrics/usage?${query}`, admin);
        assert.deepEqual(faults(await usage('year=abc')), [int('year', 'query')]);
        for (const month of ['abc', '13', '0', '2026-13', '2026-01-01', '-1']) {
            const [[type, loc]] = faults(await usage(`month=${month}`));
            assert.deepEqual([type, loc], ['string_pattern_mismatch', 'query.month'], month);
        }
    });

    test('idempotency keys are 1 to 255 visible ASCII characters', async () => {
        const pair = world().pair();
        const send = (key) => world().client.post(sessions, pair.patient, world().booking(pair), { 'Idempotency-Key': key });
        for (const [key, type] of [['', 'string_too_short'], ['x'.repeat(256), 'string_too_long'], ['two words', 'string_pattern_mismatch'], ['schl\u00fcssel', 'string_pattern_mismatch']]) {
            assert.equal(faults(await send(key))[0][0], type, key);
        }
        assert.equal((await send('x'.repeat(255))).status, 201);
    });
}, { stores: ['sqlite'], env: { MEDIA_REGIONS: 'us-east-1,eu-central-1' } });

eachStore('default time zone', (world) => {
    test('times without a zone are local, times with one as said', async () => {
        const pair = world().pair();
        for (const [given, expected] of [
            ['2096-01-25T14:00:00', '2096-01-25T08:30:00Z'],
            ['2096-01-25T14:00:00Z', '2096-01-25T14:00:00Z'],
            ['2096-01-25', '2096-01-24T18:30:00Z'],
        ]) {
            const answer = await world().client.post(sessions, pair.patient, world().booking(pair, { scheduled_start_time: given }));
            assert.equal(answer.body.scheduled_start_time, expected, given);
        }
        const listed = await world().client.get(`${sessions}?start_date=2096-01-25&end_date=2096-01-25`, pair.patient);
        assert.equal(listed.body.total, 3);
    });
}, { stores: ['sqlite'], env: { DEFAULT_TIME_ZONE: 'Asia/Colombo' } });
