import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { copyPictures, demoModel, type Fleet, jsonLines, startFleet } from '../../support/fleet.ts';
import { startRedisServer } from '../../support/redisServer.ts';

type Line = Finding & { group: string };

async function examine(fleet: Fleet, ...args: string[]) {
  const { code, stdout, stderr } = await fleet.run('doctor', '--format', 'jsonl', ...args);
  const lines = jsonLines<Line>(stdout);
  const of = (about: string) => lines.filter((line) => line.about === about);
  return { code, stderr, lines, of, bad: lines.filter(({ level }) => level !== 'ok') };
}

async function fleetOn(t: TestContext, ...settings: string[]) {
  const server = await startRedisServer(t, settings);
  const fleet = await startFleet(t);
  Object.assign(fleet.env, { REDIS_URL: server.url, HF_HUB_OFFLINE: '1', LD_LIBRARY_PATH: '' });
  return { server, fleet };
}

test('a machine that is well has no fault, and says what it found', async (t) => {
  const { fleet } = await fleetOn(t, '--maxmemory', '200mb');
  const { code, lines, of, bad, stderr } = await examine(fleet, '--model', demoModel, '--device', 'cpu');
  assert.deepEqual([bad, code, stderr], [[], 0, '']);
  const groups = ['Redis', 'Devices', 'Model', 'Hub', 'Images', 'Machine'];
  assert.deepEqual([...new Set(lines.map(({ group }) => group))], groups);
  assert.match(of('server')[0]!.says, /^Redis \d+\.\d+.*standalone, primary with 0 replicas/);
  assert.match(of('policy')[0]!.says, /noeviction/);
  assert.match(of('persistence')[0]!.says, /appendfsync always/);
  assert.match(of('latency')[0]!.says, /ms for a PING/);
  assert.match(of('memory')[0]!.says, /of 200\.0 MB|of 209\.7 MB/);
  assert.match(of('scale')[0]!.says, /model\.safetensors/);
  assert.match(of('decoder')[0]!.says, /decoded 3 example pictures/);
});

test('a server that loses, images that nobody works on and a device that is not there are named, with what to do', async (t) => {
  const { server, fleet } = await fleetOn(t);
  await server.ask('CONFIG', 'SET', 'appendonly', 'no');
  await copyPictures(fleet, 'few', 3);
  const how = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r'];
  assert.equal((await fleet.run('enqueue', 'few', ...how)).code, 0);
  const { code, of } = await examine(fleet, '--model', demoModel, '--device', 'cuda:7');
  assert.equal(code, 1);
  assert.equal(of('persistence')[0]!.level, 'warning');
  assert.match(of('persistence')[0]!.says, /config set appendonly yes/);
  const unserved = of('workers').find(({ level }) => level === 'warning');
  assert.match(unserved!.says, /^3 images wait for demo@[0-9a-f]+:fp32, and no worker serves it$/);
  const [device] = of('cuda:7');
  assert.equal(device!.level, 'fault');
  assert.match(device!.says, /libonnxruntime_providers_cuda\.so|libcudnn\.so\.9|no CUDA-capable device/);
  assert.match(device!.remedy!, /CUDA 12 and cuDNN 9.*--device cpu/);
});

test('a server that may not be worked with, a model that is none and a folder that is a file are faults', async (t) => {
  const { server, fleet } = await fleetOn(t);
  await server.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await writeFile(join(fleet.folder, 'file'), '');
  const { code, lines, of } = await examine(
    fleet,
    '--model',
    './none',
    '--device',
    'cpu',
    '--cache-dir',
    'file/x',
  );
  assert.equal(code, 1);
  const faults = lines
    .filter(({ level }) => level === 'fault')
    .map(({ group, about }) => `${group} ${about}`);
  assert.deepEqual(faults, ['Redis Redis', 'Model files', 'Machine cache']);
  assert.match(of('Redis')[0]!.says, /^REDIS_UNSUITABLE: .*config set maxmemory-policy noeviction/);
  assert.match(of('files')[0]!.says, /^MODEL_NOT_FOUND: /);
  assert.match(of('cache')[0]!.remedy!, /--cache-dir/);
});
