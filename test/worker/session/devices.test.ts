// On a machine without a GPU all of it is to be seen; with one, what that machine has runs and the rest is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { demoModel, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const here = await openDevice('auto');

test('auto takes the GPU that is there, or the processor and says why', async () => {
  if (here.name === 'cpu') assert.match(here.fallback ?? '', /^no (cuda|dml): .+/);
  else assert.equal(here.fallback, undefined);
  assert.deepEqual(await openDevice('cpu'), {
    ...(await openDevice('cpu')),
    name: 'cpu',
    fallback: undefined,
  });
});

test('auto is the processor where there is no device to try', async () => {
  const { name, fallback } = await openDevice('auto', 'darwin');
  assert.deepEqual([name, fallback], ['cpu', undefined]);
});

test('a named device that is not there is refused with its remedy', async () => {
  for (const [name, remedy] of [
    ['cuda', /CUDA 12 and cuDNN 9.*--onnxruntime-node-install/],
    ['cuda:1', /Expected the device cuda:1.*CUDA 12/],
    ['tensorrt', /TensorRT/],
    ['webgpu', /Vulkan/],
    ['coreml', /macOS/],
    ['dml:0', /Windows/],
  ] as const) {
    const opened = await openDevice(name).catch((error: Error & { code?: string }) => error);
    if (!(opened instanceof Error)) continue;
    assert.equal(opened.code, 'DEVICE_UNAVAILABLE', name);
    assert.match(opened.message, remedy);
    assert.match(opened.message, /--device cpu/);
  }
});

test('a device of another system is not even tried', async () => {
  await assert.rejects(openDevice('coreml', 'linux'), { message: /a machine of the platform linux/ });
  await assert.rejects(openDevice('cuda', 'darwin'), { message: /a machine of the platform darwin/ });
});

test('commands refuse what is not there, and what is no device', async (t) => {
  const fleet = await startFleet(t);
  const foreign = process.platform === 'darwin' ? 'dml' : 'coreml';
  const refused = await fleet.run('verify', '--model', demoModel, '--device', foreign);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /DEVICE_UNAVAILABLE.*--device cpu/);
  const nonsense = await fleet.run('verify', '--model', demoModel, '--device', 'gpu');
  assert.match(nonsense.stderr, /USAGE.*Expected auto, cpu, cuda, .*got "gpu"/s);
});

test('a worker says where it runs and why, and a command that falls back says nothing', async (t) => {
  const fleet = await startFleet(t);
  const quiet = await fleet.run('verify', '--model', demoModel);
  assert.deepEqual([quiet.code, quiet.stderr], [0, '']);
  const worker = fleet.start('worker', '--model', demoModel, '--batch-size', '2');
  const line = await until(
    () =>
      worker
        .text()
        .stderr.split('\n')
        .find((text) => text.includes('worker ready')),
    'the worker is ready',
  );
  const said = JSON.parse(line!) as { level: number; device: string; deviceFallback?: string };
  assert.deepEqual([said.level, said.device, said.deviceFallback], [30, here.name, here.fallback]);
  assert.equal(worker.text().stderr.trim().split('\n').length, 1, worker.text().stderr);
});
