/**
 * Every key Clipfleet itself writes to Redis. (BullMQ's keys follow from the lane's name: see lanes.ts.)
 *
 * Braces are Redis Cluster hash tags: what one script touches shares a tag, and nothing shares more than it must, so
 * that the rows of one run spread over the nodes of a cluster.
 */
export function keysUnder(prefix: string) {
  return {
    /** Hash: the run's record and its counters. */
    run: (run: string) => `${prefix}:run:{${run}}`,
    /** Hash: chunk number → images in it, for every chunk whose rows are not all stored. */
    chunks: (run: string) => `${prefix}:chunks:{${run}}`,
    /** Bitmap: the chunk numbers announced so far, so that announcing twice counts once. */
    announced: (run: string) => `${prefix}:announced:{${run}}`,
    /** Hash: warning → how often, for what went on all the same but the user should know. */
    warnings: (run: string) => `${prefix}:warnings:{${run}}`,
    /** Hash: image id → row, one of ROW_BUCKETS of the run. */
    rows: (run: string, bucket: number) => `${prefix}:rows:{${run}.${bucket}}`,
    /** Hash: status → rows in that bucket; moved only by the script that writes them. */
    counts: (run: string, bucket: number) => `${prefix}:counts:{${run}.${bucket}}`,
    /** String: canonical JSON of a label set. */
    labelSet: (id: string) => `${prefix}:labelset:${id}`,
    /** Hash: one label matrix, shared by the fleet. */
    matrix: (key: string) => `${prefix}:matrix:{${key}}`,
    /** String: held by the worker that is encoding a matrix. */
    matrixLock: (key: string) => `${prefix}:matrix-lock:{${key}}`,
    /** Hash: model identity → what workers said of it when they started. */
    models: () => `${prefix}:models`,
    /** Hash: what the fleet knows of a host that images come from, and who is asking it. */
    host: (host: string) => `${prefix}:host:{${host}}`,
  };
}

export type Keys = ReturnType<typeof keysUnder>;
