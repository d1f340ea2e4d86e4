// A thread that answers until it is asked to end: what happens then is what threads.test.ts looks at.
import { setImmediate as turn } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { ClipfleetError } from '../../src/shared/errors.ts';
import { serveThread } from '../../src/worker/onnx/threadServer.ts';

await serveThread<string, string>(async () => {
  if (workerData === 'broken') throw new ClipfleetError('MODEL_INVALID', 'It does not open.');
  return {
    ready: `here with ${workerData}`,
    async answer(word) {
      if (word === 'slow') for (let turns = 0; turns < 100; turns++) await turn();
      if (word === 'hang') blockFor(Number.POSITIVE_INFINITY);
      if (word === 'rest') blockFor(50);
      if (word === 'end') process.exit(3);
      if (word === 'throw') setImmediate(() => assertNothing());
      if (word === 'fail') throw new Error('It does not work.');
      return { answer: `${word}, done` };
    },
  };
}, 'INTERNAL');

function assertNothing(): never {
  throw new Error('Nobody catches this.');
}

/** As native code does that is busy, or hangs: the thread hears nothing. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
