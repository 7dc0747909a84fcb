// Values that fit a JSON schema, and values that nearly do.

const strange = [
    '', ' ', '\0', '\u0001sealed', '../../etc/passwd', "'; DROP TABLE video_consultation_sessions; --", '" OR ""="', '${jndi:ldap://127.0.0.1/x}', '{{7*7}}', '%00', '%2e%2e%2f',
    '\ud83d\ude00'.repeat(20), 'ÄÖÜß', '\u202eevil', '<script>alert(1)</script>', 'a'.repeat(300), 'a'.repeat(6000), 'null', 'true', '-1', '1e309', '9223372036854775808',
    '2031-02-30T25:61:61Z', '0000-00-00', '+275760-09-13T00:00:00Z', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '\r\nSet-Cookie: a=b',
];
const numbers = [0, -1, 1, 14, 15, 120, 121, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 1e308, 0.5, 30.0, 30.5];

export class Values {
    /** @param {import('./random.mjs').Random} random @param {object} document the OpenAPI document */
    constructor(random, document) {
        Object.assign(this, { random, document });
    }

    schema(schema) {
        return schema?.$ref ? this.schema(schema.$ref.slice(2).split('/').reduce((value, step) => value[step.replaceAll('~1', '/')], this.document)) : (schema ?? {});
    }

    /** Fits the schema, as far as a generator of this size can tell. */
    fitting(from, depth = 0) {
        const schema = this.schema(from);
        const { random } = this;
        if (schema.enum) return random.pick(schema.enum);
        if (schema.const !== undefined) return schema.const;
        const parts = [...(schema.allOf ?? []), ...['oneOf', 'anyOf'].flatMap((key) => (schema[key] ? [random.pick(schema[key])] : []))];
        if (parts.length && !schema.properties && parts.length === 1) return this.fitting(parts[0], depth + 1);
        // What the parts say together: `required` of one may speak of `properties` of the other.
        if (parts.length) {
            const all = [schema, ...parts.map((part) => this.schema(part))];
            return this.fitting({ type: 'object', properties: Object.assign({}, ...all.map((each) => each.properties)), required: all.flatMap((each) => each.required ?? []) }, depth + 1);
        }
        const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type;
        if (type === 'object' || schema.properties) {
            const value = {};
            for (const [name, property] of Object.entries(schema.properties ?? {})) {
                if (schema.required?.includes(name) || random.chance(0.5)) value[name] = this.fitting(property, depth + 1);
            }
            return value;
        }
        if (type === 'array') return depth > 6 ? [] : Array.from({ length: random.below(3) }, () => this.fitting(schema.items, depth + 1));
        if (type === 'integer' || type === 'number') {
            const [low, high] = [schema.minimum ?? -1000, schema.maximum ?? 1000];
            return low + random.below(high - low + 1);
        }
        if (type === 'boolean') return random.chance(0.5);
        if (type === 'null') return null;
        return this.text(schema);
    }

    text(schema) {
        const { random } = this;
        if (schema.format === 'date-time') return random.pick(['2031-05-05T10:00:00Z', '2031-05-05T10:00:00+05:30', '2031-05-05T10:00:00.123456', '2031-05-05 10:00', '2031-05-05']);
        if (schema.format === 'date') return '2031-05-05';
        if (schema.format === 'uuid') return '54a780e9-cdea-473a-ad93-801d19d54ff4';
        const [least, most] = [schema.minLength ?? 0, Math.min(schema.maxLength ?? 40, 6000)];
        const length = random.pick([least, least + random.below(most - least + 1), most]);
        return Array.from({ length }, () => random.pick([...'abcdefghij 0123456789-äé😀'])).join('');
    }

    /** Anything. */
    wild(depth = 0) {
        const { random } = this;
        switch (random.below(depth > 3 ? 4 : 7)) {
            case 0: return random.pick(strange);
            case 1: return random.pick(numbers);
            case 2: return random.pick([true, false, null]);
            case 3: return random.pick(strange);
            case 4: return Array.from({ length: random.below(4) }, () => this.wild(depth + 1));
            case 5: return Object.fromEntries(Array.from({ length: random.below(4) }, () => [random.pick(strange), this.wild(depth + 1)]));
            default: return Array.from({ length: 40 }).reduce((inner) => ({ a: inner }), 1);
        }
    }

    /** A value that fitted, with something of it changed. */
    mutated(value) {
        const { random } = this;
        if (typeof value !== 'object' || value === null || random.chance(0.15)) return this.wild();
        const copy = structuredClone(value);
        const keys = Object.keys(copy);
        const key = keys.length ? random.pick(keys) : 'x';
        switch (random.below(4)) {
            case 0: delete copy[key]; break;
            case 1: copy[key] = this.wild(); break;
            case 2: copy[random.pick(['session_id', 'status', 'version', 'role', '__proto__', 'x'.repeat(50), 'actual_start_time', 'meeting_id', 'doctor_joined_at'])] = this.wild(); break;
            default: copy[key] = this.mutated(copy[key]);
        }
        return copy;
    }

    strange() {
        return this.random.pick(strange);
    }
}
