// Who may call: signatures good and bad, from AWS's client and by hand.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Server } from '../lib/server.js';
import { client, key, keys, newMeeting, plain, refusal, sdk, secret, signed } from './lib.mjs';

const nowhere = '/chime/meetings/00000000-0000-4000-8000-000000000000';
const minutes = (count) => new Date(Date.now() + count * 60_000);

describe('signatures', () => {
    let server;
    before(async () => {
        server = await Server.start({ env: keys });
    });
    after(() => server?.stop());

    const told = (answer) => [answer.status, answer.headers['x-amzn-errortype']];
    const passed = [404, 'NotFoundException'];

    test('a good one passes, in any region, with either key', async () => {
        assert.deepEqual(told(await signed(server, 'GET', nowhere)), passed);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { omit: ['x-amz-content-sha256'] })), passed);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { signer: { region: 'ap-southeast-2' } })), passed);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { signer: { id: 'OTHERKEY', secretKey: 'another/secret/for+tests' } })), passed);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { headers: { 'x-odd': 'with  two   spaces' .replace(/ +/g, ' ') } })), passed);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { at: minutes(-4.8) })), passed);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { at: minutes(4.8) })), passed);
        const answer = await client(server, { region: 'us-gov-west-1' }).send(new sdk.CreateMeetingCommand(newMeeting()));
        assert.match(answer.Meeting.MeetingArn, /^arn:aws:chime:us-gov-west-1:/);
    });

    test('errors have the shape that SDKs read', async () => {
        const answer = await signed(server, 'GET', nowhere);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.equal(answer.body.Code, 'NotFoundException');
        assert.equal(answer.body.RequestId, answer.headers['x-amzn-requestid']);
        assert.match(answer.body.Message, /^Meeting .* not found$/);
        assert.ok(answer.headers.date);
    });

    test('no signature, or one of another kind', async () => {
        assert.deepEqual(told(await plain(server, 'GET', nowhere)), [403, 'MissingAuthenticationTokenException']);
        const token = server.token('CLINIC_ADMIN', '1');
        assert.deepEqual(told(await plain(server, 'GET', nowhere, { headers: { authorization: `Bearer ${token}` } })), [403, 'IncompleteSignatureException']);
        for (const authorization of [
            'AWS4-HMAC-SHA256',
            'AWS4-HMAC-SHA256 Credential=A/20260101/r/chime/aws4_request',
            `AWS4-HMAC-SHA256 Credential=A/2026/r/chime/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
            `AWS4-HMAC-SHA256 Credential=A/20260101/r/chime/aws4_request, SignedHeaders=x-amz-date;host, Signature=${'0'.repeat(64)}`,
            `AWS4-HMAC-SHA256 Credential=A/20260101/r/chime/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(63)}`,
            `AWS4-ECDSA-P256-SHA256 Credential=A/20260101/chime/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
        ]) {
            assert.deepEqual(told(await plain(server, 'GET', nowhere, { headers: { authorization } })), [403, 'IncompleteSignatureException'], authorization);
        }
    });

    test('an unknown key, and a session token that is not ours', async () => {
        const unknown = [403, 'UnrecognizedClientException'];
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { signer: { id: 'AKIDNOBODY' } })), unknown);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { headers: { 'x-amz-security-token': 'x' } })), unknown);
        const refused = await refusal(client(server, { accessKeyId: 'AKIDNOBODY' }).send(new sdk.GetMeetingCommand({ MeetingId: nowhere.slice(-36) })));
        assert.deepEqual([refused.name, refused.status], ['UnrecognizedClientException', 403]);
    });

    test('a wrong secret', async () => {
        const refused = await refusal(client(server, { secretAccessKey: `${secret}x` }).send(new sdk.GetMeetingCommand({ MeetingId: nowhere.slice(-36) })));
        assert.deepEqual([refused.name, refused.status], ['InvalidSignatureException', 403]);
        assert.match(refused.message, /does not match the signature you provided/);
    });

    test('whatever is changed after signing is noticed', async () => {
        const body = JSON.stringify(newMeeting());
        const options = { body, headers: { 'content-type': 'application/json', 'x-odd': '1' } };
        const invalid = [403, 'InvalidSignatureException'];
        assert.equal((await signed(server, 'POST', '/chime/meetings', options)).status, 200);
        const changes = {
            body: (all) => ({ ...all, body: body.replace('visit-17', 'visit-18') }),
            header: (all) => ({ ...all, headers: { ...all.headers, 'x-odd': '2' } }),
            host: (all) => ({ ...all, headers: { ...all.headers, host: 'elsewhere.example.org' } }),
            date: (all) => ({ ...all, headers: { ...all.headers, 'x-amz-date': minutes(1).toISOString().replace(/[-:]|\.\d+/g, '') } }),
            'payload hash': (all) => ({ ...all, headers: { ...all.headers, 'x-amz-content-sha256': '0'.repeat(64) } }),
            'signed header left out': (all) => ({ ...all, headers: Object.fromEntries(Object.entries(all.headers).filter(([name]) => name !== 'x-odd')) }),
            signature: (all) => ({ ...all, headers: { ...all.headers, authorization: all.headers.authorization.replace(/.$/, (last) => (last === '0' ? '1' : '0')) } }),
            scope: (all) => ({ ...all, headers: { ...all.headers, authorization: all.headers.authorization.replace('eu-central-1', 'eu-central-2') } }),
        };
        for (const [what, tamper] of Object.entries(changes)) {
            assert.deepEqual(told(await signed(server, 'POST', '/chime/meetings', { ...options, tamper })), invalid, what);
        }
        const signedGet = await signed(server, 'GET', `${nowhere}/attendees?max-results=5`);
        assert.deepEqual(told(signedGet), passed);
        const other = (headers) => plain(server, 'GET', `${nowhere}/attendees?max-results=6`, { headers });
        let answer;
        await signed(server, 'GET', `${nowhere}/attendees?max-results=5`, { tamper: (all) => ((answer = other(all.headers)), all) });
        assert.deepEqual(told(await answer), invalid);
    });

    test('what must be signed is', async () => {
        const invalid = [403, 'InvalidSignatureException'];
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { omit: ['host'] })), invalid);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { omit: ['x-amz-content-sha256'], tamper: (all) => ({ ...all, headers: { ...all.headers, 'x-amz-content-sha256': 'x' } }) })), invalid);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { signer: { service: 'execute-api' } })), invalid);
        assert.deepEqual(told(await signed(server, 'GET', nowhere, { signer: { payload: 'UNSIGNED-PAYLOAD' } })), invalid);
    });

    test('five minutes, not more', async () => {
        for (const [count, words] of [[-5.2, /^Signature expired: /], [5.2, /^Signature not yet current: /]]) {
            const answer = await signed(server, 'GET', nowhere, { at: minutes(count) });
            assert.deepEqual(told(answer), [403, 'InvalidSignatureException']);
            assert.match(answer.body.Message, words);
        }
    });

    test("a client's clock that is wrong is refused, and put right by the SDK", async () => {
        const wrong = client(server, { systemClockOffset: -3_600_000 });
        const first = await refusal(wrong.send(new sdk.GetMeetingCommand({ MeetingId: nowhere.slice(-36) })));
        assert.deepEqual([first.name, first.status], ['InvalidSignatureException', 403]);
        // It has seen the Date header of the refusal.
        const second = await refusal(wrong.send(new sdk.GetMeetingCommand({ MeetingId: nowhere.slice(-36) })));
        assert.deepEqual([second.name, second.status], ['NotFoundException', 404]);
        const patient = client(server, { systemClockOffset: 3_600_000, maxAttempts: 3 });
        assert.ok((await patient.send(new sdk.CreateMeetingCommand(newMeeting()))).Meeting.MeetingId);
    });

    test('operations that do not exist, and bodies that are no JSON', async () => {
        for (const [method, path] of [
            ['GET', '/chime/'],
            ['GET', '/chime/meetings'],
            ['POST', '/chime/meetings?operation=create'],
            ['PATCH', nowhere],
            ['GET', `${nowhere}/`],
            ['POST', '/chime/tags'],
            ['GET', `${nowhere}/attendees/x/y/z`],
        ]) {
            assert.deepEqual(told(await signed(server, method, path)), [404, 'UnknownOperationException'], `${method} ${path}`);
        }
        for (const body of ['{', '[]', '"x"', '{"a":"\xff"}', '['.repeat(40)]) {
            assert.deepEqual(told(await signed(server, 'POST', '/chime/meetings', { body: Buffer.from(body, 'latin1') })), [400, 'SerializationException'], body);
        }
        assert.deepEqual(told(await signed(server, 'POST', '/chime/meetings')), [400, 'BadRequestException']);
    });

    test('secrets and names reach no log', async () => {
        assert.ok(!server.log.includes(secret) && !server.log.includes('visit-17') && !server.log.includes(key));
    });
});

describe('without keys', () => {
    test('there is no such API', async () => {
        const server = await Server.start();
        try {
            const answer = await signed(server, 'GET', nowhere);
            assert.deepEqual([answer.status, answer.body], [404, { detail: 'Not Found' }]);
        } finally {
            await server.stop();
        }
    });
});
