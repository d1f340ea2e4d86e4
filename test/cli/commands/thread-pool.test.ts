import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { demoModel, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const onlyLinux = process.platform === 'linux' ? false : 'threads are counted in /proc';

test('the process has as many pool threads as it decodes with, and 4 more', {
  skip: onlyLinux,
}, async (t) => {
  const fleet = await startFleet(t);

  /** Threads of an idle worker; all but those of the pool are the same in each. */
  async function threadsOf(args: string[], env: Record<string, string>): Promise<number> {
    Object.assign(fleet.env, { UV_THREADPOOL_SIZE: '' }, env);
    const worker = fleet.start('worker', '--model', demoModel, '--threads', '1', ...args);
    await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
    const threads = await readdir(`/proc/${worker.child.pid}/task`);
    worker.child.kill('SIGTERM');
    await worker.ended;
    return threads.length;
  }

  const few = await threadsOf(['--decode-threads', '3'], {});
  assert.equal((await threadsOf(['--decode-threads', '43'], {})) - few, 40);
  assert.equal((await threadsOf([], { CLIPFLEET_DECODE_THREADS: '23' })) - few, 20);
  // What the user set stays.
  assert.equal((await threadsOf(['--decode-threads=43'], { UV_THREADPOOL_SIZE: '7' })) - few, 0);
});
