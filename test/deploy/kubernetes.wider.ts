// The manifests, against Kubernetes' own schemas and one of ours for KEDA's kinds, and what of them must agree.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { repository } from '../support/fleet.ts';
import { filesOf } from '../support/repositoryFiles.ts';
import { temporaryFolder } from '../support/support.ts';
import { venvPython } from '../support/wider.ts';

interface Manifest {
  kind: string;
  apiVersion: string;
  // biome-ignore lint/suspicious/noExplicitAny: what Kubernetes' schemas have checked
  spec: any;
}

const files = await filesOf('deploy/kubernetes/**/*.yaml');
const manifests = files
  // A patch is a part of a manifest.
  .filter(({ path }) => !/kustomization|gpu\/worker/.test(path))
  .flatMap(({ path, text }) =>
    parseAllDocuments(text).map((each) => ({ path, manifest: each.toJS() as Manifest })),
  );
const isOf = (group: string) => (each: (typeof manifests)[number]) =>
  each.manifest.apiVersion.startsWith(`${group}/`);

test('each manifest is of its kind’s schema', async (t) => {
  const folder = await temporaryFolder(t);
  const own = manifests.filter((each) => !isOf('keda.sh')(each) && !isOf('monitoring.coreos.com')(each));
  assert.ok(own.length >= 10);
  const validate = async (manifest: object) => {
    const file = join(folder, 'manifest.yaml');
    await writeFile(file, JSON.stringify(manifest));
    const program = join(dirname(venvPython()), 'kubernetes-validate');
    return spawnSync(program, ['--strict', file], { encoding: 'utf8' });
  };
  for (const { path, manifest } of own) {
    const { stdout, stderr, status } = await validate(manifest);
    assert.equal(status, 0, `${path}: ${stdout}${stderr}`);
  }
  assert.notEqual((await validate({ ...own[0]!.manifest, spce: {} })).status, 0);
});

test('what KEDA reads is of the form that it documents', async () => {
  const schema = join(repository, 'test/deploy/keda.schema.json');
  const check =
    'import json, sys, jsonschema; jsonschema.validate(json.loads(sys.argv[2]), json.load(open(sys.argv[1])))';
  const run = (given: object) =>
    spawnSync(venvPython(), ['-c', check, schema, JSON.stringify(given)], { encoding: 'utf8' });
  const ofKeda = manifests.filter(isOf('keda.sh')).map(({ manifest }) => manifest);
  assert.deepEqual(ofKeda.map(({ kind }) => kind).sort(), ['ScaledObject', 'TriggerAuthentication']);
  for (const manifest of ofKeda) assert.equal(run(manifest).status, 0, run(manifest).stderr);
  assert.notEqual(run({ ...ofKeda[1]!, spec: { triggers: [] } }).status, 0);
});

test('pods end in time, are not root, write to volumes alone, and what kustomize names is there', async () => {
  const pods = manifests.filter(({ manifest }) => /Deployment|StatefulSet/.test(manifest.kind));
  assert.equal(pods.length, 3);
  for (const { path, manifest } of pods) {
    const { containers, securityContext, terminationGracePeriodSeconds } = manifest.spec.template.spec;
    assert.equal(securityContext.runAsNonRoot, true, path);
    for (const { args, lifecycle, resources, securityContext: own } of containers) {
      assert.equal(own.readOnlyRootFilesystem, true, path);
      assert.ok(resources.requests.cpu && resources.requests.memory, path);
      const grace = args.indexOf('--grace-ms');
      if (grace < 0) continue;
      const beforeStop = Number(lifecycle.preStop.exec.command[1]);
      assert.ok(beforeStop + Number(args[grace + 1]) / 1_000 < terminationGracePeriodSeconds, path);
    }
  }
  const known = new Set(files.map(({ path }) => path));
  for (const { path } of files.filter((file) => file.path.endsWith('kustomization.yaml'))) {
    const { resources, patches = [] } = parse(await readFile(join(repository, path), 'utf8'));
    for (const name of [...resources, ...patches.map((each: { path: string }) => each.path)]) {
      const there = join(dirname(path), name);
      assert.ok(known.has(there) || known.has(join(there, 'kustomization.yaml')), `${path}: ${name}`);
    }
  }
});
