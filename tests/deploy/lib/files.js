// The files of deploy/, read.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const path = (...names) => join(root, 'deploy', ...names);
export const text = (...names) => readFileSync(path(...names), 'utf8');
export const version = readFileSync(join(root, 'VERSION'), 'utf8').trim();

/** Every document of a YAML file; a key twice, or anything else that YAML does not allow, is an error. */
export function yaml(...names) {
    return parseAllDocuments(text(...names), { strict: true, uniqueKeys: true }).map((document) => {
        if (document.errors.length > 0) throw document.errors[0];
        return document.toJS();
    });
}

/** `10m`, `630s`, `1h` in seconds. */
export function seconds(time) {
    const [, number, unit] = /^(\d+)(s|m|h)$/.exec(time);
    return Number(number) * { s: 1, m: 60, h: 3600 }[unit];
}
