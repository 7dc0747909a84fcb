// FHIR R4's own definitions (resources, cardinalities, value sets), as the package `fhir` carries them, and what they
// say of a bundle; and the rules of bundles that no definition of a single resource knows.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { Fhir } = createRequire(import.meta.url)('fhir');
const fhir = new Fhir();

/** Every entry by itself and the bundle as a whole; unknown members are errors. */
export function assertFhir(bundle) {
    const { messages } = fhir.validate(bundle, { errorOnUnexpected: true });
    assert.deepEqual(messages.filter((each) => each.severity === 'error' || each.severity === 'fatal'), []);
    const names = bundle.entry.map((each) => each.fullUrl);
    assert.equal(new Set(names).size, names.length, 'a name stands for one resource');
    const known = new Set(bundle.entry.map(({ resource }) => `${resource.resourceType}/${resource.id}`));
    for (const { fullUrl, resource } of bundle.entry) {
        assert.match(resource.id, /^[A-Za-z0-9\-.]{1,64}$/);
        assert.ok(fullUrl.endsWith(`/${resource.resourceType}/${resource.id}`), fullUrl);
        for (const reference of references(resource)) assert.ok(known.has(reference), `${reference} is not in the bundle`);
    }
}

/** Literal references within a resource. */
function references(value) {
    if (Array.isArray(value)) return value.flatMap(references);
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([name, each]) => (name === 'reference' && typeof each === 'string' ? [each] : references(each)));
}
