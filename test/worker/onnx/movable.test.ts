import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, markAsUntransferable } from 'node:worker_threads';
import { movable } from '../../../src/worker/onnx/movable.ts';

test('memory that cannot be moved is copied, the rest is moved', () => {
  const [own, native] = [new ArrayBuffer(8), new ArrayBuffer(16)];
  // What sharp's memory is to Node.
  markAsUntransferable(native);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage([own, native], movable([own, native]));
  port1.close();
  port2.close();
  assert.deepEqual([own.byteLength, native.byteLength], [0, 16]);
});
