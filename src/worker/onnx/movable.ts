import workerThreads from 'node:worker_threads';

/** Node 20 does not have it, nor its types; there a buffer that cannot be moved is copied without a word. */
const { isMarkedAsUntransferable } = workerThreads as {
  isMarkedAsUntransferable?: (object: object) => boolean;
};

/**
 * Those of the buffers that can be moved to another thread. Memory that belongs to a native library, as sharp's does, cannot
 * be: from Node 21 on it is an error to name it (DataCloneError). A buffer that is left out is copied.
 */
export function movable(buffers: ArrayBuffer[]): ArrayBuffer[] {
  return buffers.filter((buffer) => !isMarkedAsUntransferable?.(buffer));
}
