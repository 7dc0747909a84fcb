// Kubernetes ignores a name that it does not know, and so do the compiled schemas: a misspelt setting would do nothing. But a
// compiled schema looks at every name that it knows; what it never looked at, it does not know.

/** Copies of objects that note which of their names somebody asked for. `unknown()` gives the paths of the others. */
export function watched(value) {
    const notes = [];
    const wrap = (inner, path) => {
        if (typeof inner !== 'object' || inner === null) return inner;
        const asked = new Set();
        const children = Object.fromEntries(Object.entries(inner).map(([name, child]) => [name, wrap(child, `${path}/${name}`)]));
        if (Array.isArray(inner)) return Object.values(children);
        notes.push({ path, names: Object.keys(inner), asked });
        return new Proxy(children, {
            get(target, name) {
                asked.add(name);
                return target[name];
            },
        });
    };
    return {
        value: wrap(value, ''),
        unknown: () => notes.flatMap(({ path, names, asked }) => names.filter((name) => !asked.has(name)).map((name) => `${path}/${name}`)),
    };
}
