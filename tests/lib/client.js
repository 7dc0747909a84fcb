// A client that checks every exchange against the service's own OpenAPI document: path, method and status documented,
// answer of the documented shape, and nothing accepted that the document forbids.
import assert from 'node:assert/strict';
import http from 'node:http';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** What is served beside the documented interface. */
const files = /^\/(assets|docs)\/[^/]+$|^\/favicon\.ico$/;

export class Client {
    /** @param {string} base `http://127.0.0.1:8086` */
    static async connect(base) {
        const client = new Client();
        client.base = new URL(base);
        client.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
        const answer = await client.exchange('GET', '/openapi.json', {}, undefined);
        client.document = JSON.parse(answer.text);
        client.prepare();
        return client;
    }

    close() {
        this.agent.destroy();
    }

    prepare() {
        this.ajv = new Ajv({ strict: false, allErrors: true });
        formats(this.ajv);
        this.ajv.addSchema(this.document, 'openapi');
        this.validators = new Map();
        this.templates = Object.keys(this.document.paths)
            .map((path) => ({
                path,
                // Literal pieces win over variable ones.
                variables: (path.match(/\{/g) ?? []).length,
                pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
            }))
            .sort((a, b) => a.variables - b.variables);
        this.seen = new Set();
    }

    /**
     * @param {{ token?: string, body?: unknown, text?: string, headers?: Record<string, string>, careless?: boolean }} [options]
     *     `body` is sent as JSON, `text` as it is; `careless`: what is accepted need not fit the document.
     */
    async request(method, target, { token, body, text, headers = {}, careless = false } = {}) {
        const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
        const all = {
            ...(token ? { Authorization: `Bearer ${token}` } : {}),
            ...(content !== undefined ? { 'Content-Type': 'application/json' } : {}),
            ...headers,
        };
        const answer = await this.exchange(method, target, all, content);
        const isJson = (answer.headers['content-type'] ?? '').startsWith('application/json');
        answer.body = isJson && answer.text !== '' ? JSON.parse(answer.text) : undefined;
        this.check(method, target, { headers: all, content, careless }, answer);
        return answer;
    }

    get(target, token) {
        return this.request('GET', target, { token });
    }
    post(target, token, body, headers) {
        return this.request('POST', target, { token, body, headers });
    }
    put(target, token, body) {
        return this.request('PUT', target, { token, body });
    }
    delete(target, token) {
        return this.request('DELETE', target, { token });
    }

    exchange(method, target, headers, content) {
        return new Promise((resolve, reject) => {
            const request = http.request(
                {
                    agent: this.agent,
                    host: this.base.hostname,
                    port: this.base.port,
                    method,
                    path: target,
                    headers: { ...headers, ...(content !== undefined ? { 'Content-Length': Buffer.byteLength(content) } : {}) },
                },
                (response) => {
                    const chunks = [];
                    response.on('data', (chunk) => chunks.push(chunk));
                    response.on('error', reject);
                    response.on('end', () =>
                        resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') }),
                    );
                },
            );
            request.on('error', reject);
            request.end(content);
        });
    }

    validator(pointer) {
        let validate = this.validators.get(pointer);
        if (!validate) {
            validate = this.ajv.compile({ $ref: `openapi#${pointer}` });
            this.validators.set(pointer, validate);
        }
        return validate;
    }

    assertValid(pointer, value, what) {
        const validate = this.validator(pointer);
        assert.ok(validate(value), `${what} does not fit ${pointer}: ${this.ajv.errorsText(validate.errors)}\n${JSON.stringify(value)?.slice(0, 2000)}`);
    }

    /** Follows a reference at the place that the pointer names. */
    resolve(pointer) {
        const steps = pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
        const found = steps.reduce((value, step) => value?.[step], this.document);
        return found?.$ref ? this.resolve(found.$ref.slice(1)) : { pointer, value: found };
    }

    check(method, target, request, answer) {
        const what = `${method} ${target} → ${answer.status} ${answer.text.slice(0, 300)}`;
        const path = target.split('?')[0];
        assert.equal(answer.headers['x-content-type-options'] ?? 'nosniff', 'nosniff', what);
        if (answer.status === 307) {
            assert.ok(path.endsWith('/') && answer.headers.location.startsWith('../'), what);
            return;
        }
        const template = this.templates.find((each) => each.pattern.test(path));
        if (!template) {
            if (files.test(path) && answer.status === 200) return;
            assert.ok([404, 400, 431].includes(answer.status), what);
            this.assertValid('/components/schemas/Detail', answer.body, what);
            return;
        }
        const item = this.document.paths[template.path];
        const operation = item[method.toLowerCase()];
        if (!operation) {
            if (method === 'OPTIONS') {
                assert.deepEqual([answer.status, answer.text], [200, 'OK'], what);
                assert.match(answer.headers.allow, /, OPTIONS$/, what);
                return;
            }
            if (method === 'HEAD' && item.get) return;
            assert.ok(answer.status === 405 && answer.headers.allow, what);
            this.assertValid('/components/schemas/Detail', answer.body, what);
            return;
        }
        // `~` and `/` are written otherwise in a JSON pointer, `{}` in its form for URIs.
        const place = `/paths/${template.path.replaceAll('/', '~1')}/${method.toLowerCase()}`;
        this.seen.add(`${method} ${template.path} ${answer.status}`);
        const documented = this.resolve(`${place}/responses/${answer.status}`);
        assert.ok(documented.value, `this status is not documented: ${what}`);
        const type = (answer.headers['content-type'] ?? '').split(';')[0];
        if (documented.value.content) {
            assert.ok(documented.value.content[type], `the type ${type} is not documented: ${what}`);
        } else {
            assert.deepEqual([type, answer.text], ['', ''], `a body is not documented: ${what}`);
        }
        for (const [name, header] of Object.entries(documented.value.headers ?? {})) {
            assert.ok(!header.required || answer.headers[name.toLowerCase()] !== undefined, `${name} is missing: ${what}`);
        }
        if (type === 'application/json' && documented.value.content) {
            this.assertValid(uriPointer(`${documented.pointer}/content/application~1json/schema`), answer.body, what);
        }
        if (answer.status < 300 && !request.careless) this.checkAccepted(place, operation, target, request, what);
    }

    /** What the service accepted must be what the document allows. */
    checkAccepted(place, operation, target, request, what) {
        if (operation.requestBody && (operation.requestBody.required || request.content)) {
            const schema = uriPointer(`${place}/requestBody/content/application~1json/schema`);
            this.assertValid(schema, JSON.parse(request.content), `the request of ${what}`);
        }
        const query = new URL(target, this.base).searchParams;
        (operation.parameters ?? []).forEach((parameter, index) => {
            const text = parameter.in === 'query' ? query.get(parameter.name) : parameter.in === 'header' ? request.headers[parameter.name] : null;
            if (text === null || text === undefined) return;
            const value = parameter.schema.type === 'integer' ? Number(text) : text;
            this.assertValid(uriPointer(`${place}/parameters/${index}/schema`), value, `parameter ${parameter.name} of ${what}`);
        });
    }
}

const uriPointer = (pointer) => pointer.replaceAll('{', '%7B').replaceAll('}', '%7D');
