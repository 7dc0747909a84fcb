// The Kubernetes manifests, against Kubernetes' own schemas and against each other.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { path, version, yaml } from './lib/files.js';
import { watched } from './lib/known_names.js';

const folder = 'kubernetes';
const [kustomization] = yaml(folder, 'kustomization.yaml');
const files = readdirSync(path(folder)).filter((name) => name !== 'kustomization.yaml');
const objects = files.flatMap((file) => yaml(folder, file).map((object) => ({ file, object })));
const find = (kind, name = 'video-consultation') => {
    const found = objects.find(({ object }) => object.kind === kind && object.metadata.name === name);
    assert.ok(found, `${kind} ${name}`);
    return found.object;
};
/** A stop that takes no meetings into account. */
const kStopSeconds = 30;

/** The complaints of the schema of that kind, and the names it does not know. */
async function complaints(object) {
    const { [object.kind]: Model } = await import(`kubernetes-models/${object.apiVersion}/${object.kind}`);
    const { value, unknown } = watched(object);
    // The model copies what it is given; its schema is asked directly, so that it sees what is watched.
    try {
        Model.prototype.validate.call(Object.assign(Object.create(Model.prototype), value));
    } catch (error) {
        return [error.message];
    }
    return unknown();
}

describe('each manifest', () => {
    for (const { file, object } of objects) {
        test(`${file}: ${object.kind} ${object.metadata.name} is what Kubernetes expects`, async () => {
            assert.deepEqual(await complaints(object), []);
        });
    }

    test('a misspelt name, a wrong type and a missing part are found', async () => {
        const broken = (change) => {
            const copy = structuredClone(find('StatefulSet'));
            change(copy.spec.template.spec, copy);
            return complaints(copy);
        };
        assert.deepEqual(await broken((pod) => (pod.enableServiceLink = false)), ['/spec/template/spec/enableServiceLink']);
        assert.deepEqual(await broken((pod) => (pod.containers[0].securityContext.readOnlyRootFileSystem = true)), [
            '/spec/template/spec/containers/0/securityContext/readOnlyRootFileSystem',
        ]);
        assert.match((await broken((pod) => (pod.terminationGracePeriodSeconds = '10s')))[0], /must be integer/);
        assert.match((await broken((pod) => delete pod.containers[0].name))[0], /name/);
    });

    test('is applied, but for the example of a secret', () => {
        assert.deepEqual([...kustomization.resources, 'secret.example.yaml'].sort(), files.sort());
    });
});

describe('the pods', () => {
    const set = find('StatefulSet');
    const pod = set.spec.template.spec;
    const [container] = pod.containers;
    const settings = find('ConfigMap').data;

    test('run as nobody in particular, read-only, with no rights to gain', () => {
        assert.deepEqual(pod.securityContext, { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } });
        assert.deepEqual(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
        assert.equal(pod.automountServiceAccountToken, false);
        assert.equal(pod.enableServiceLinks, false);
        assert.equal(container.resources.limits.memory, '512Mi');
        assert.equal(container.image.split(':')[1], version);
    });

    test('are asked about life and readiness, and have the time to drain', () => {
        assert.equal(container.livenessProbe.httpGet.path, '/health/live');
        assert.equal(container.readinessProbe.httpGet.path, '/health/ready');
        const wait = Number(container.lifecycle.preStop.exec.command[1]);
        assert.ok(pod.terminationGracePeriodSeconds >= wait + Number(settings.DRAIN_SECONDS) + kStopSeconds);
    });

    test('have no secret in their variables, and every file that a variable names', () => {
        const { stringData } = find('Secret');
        const { mountPath } = container.volumeMounts.find(({ name }) => name === 'secrets');
        const named = container.env.filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => value);
        assert.deepEqual(named.sort(), Object.keys(stringData).map((name) => `${mountPath}/${name}`).sort());
        for (const name of [...Object.keys(settings), ...container.env.map((each) => each.name)]) assert.doesNotMatch(name, /(PASSWORD|SECRET|SECRET_KEY|DATABASE_URL|TOKEN)$/);
        for (const { name } of container.volumeMounts) assert.ok(pod.volumes.some((volume) => volume.name === name), name);
    });

    test('are found by everything that looks for them', () => {
        const labels = set.spec.template.metadata.labels;
        assert.deepEqual(set.spec.selector.matchLabels, labels);
        assert.deepEqual(find('PodDisruptionBudget').spec.selector.matchLabels, labels);
        assert.deepEqual(find('NetworkPolicy').spec.podSelector.matchLabels, labels);
        assert.deepEqual(find('Service', 'video-consultation-service').spec.selector, labels);
        assert.deepEqual(find('Service', set.spec.serviceName).spec.selector, labels);
        const { kind, name, apiVersion } = find('HorizontalPodAutoscaler').spec.scaleTargetRef;
        assert.deepEqual([apiVersion, kind, name], [set.apiVersion, set.kind, set.metadata.name]);
    });

    test('can be reached one by one, as many as the autoscaler makes', () => {
        const { minReplicas, maxReplicas } = find('HorizontalPodAutoscaler').spec;
        assert.ok(minReplicas >= 2 && find('PodDisruptionBudget').spec.maxUnavailable < minReplicas);
        const { rules, tls } = find('Ingress').spec;
        const host = /^https:\/\/\$\(POD_NAME\)(\..*)$/.exec(container.env.find(({ name }) => name === 'NODE_URL').value)[1];
        for (let i = 0; i < maxReplicas; ++i) {
            const name = `${set.metadata.name}-${i}`;
            assert.deepEqual(find('Service', name).spec.selector, { 'statefulset.kubernetes.io/pod-name': name });
            const rule = rules.find((each) => each.host === name + host);
            assert.equal(rule.http.paths[0].backend.service.name, name);
        }
        assert.ok(tls[0].hosts.includes(`*${host}`));
        for (const { http } of rules) find('Service', http.paths[0].backend.service.name);
    });

    test('media comes from everywhere, HTTP only from where it should', () => {
        const { ingress } = find('NetworkPolicy').spec;
        const open = ingress.filter(({ from }) => !from).flatMap(({ ports }) => ports.map(({ port, protocol }) => `${port}/${protocol}`));
        assert.deepEqual(open.sort(), ['8087/TCP', '8087/UDP']);
        const ports = container.ports.filter(({ hostPort }) => hostPort).map(({ hostPort, protocol }) => `${hostPort}/${protocol}`);
        assert.deepEqual(ports.sort(), ['8087/TCP', '8087/UDP']);
    });
});
