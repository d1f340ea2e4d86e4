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
    /** Hash: chunk or part → images in it and, after a space, a generation above 0; where rows are still to come. */
    chunks: (run: string) => `${prefix}:chunks:{${run}}`,
    /**
     * Hash: chunk or part → images in it, and after spaces the worker that holds it, and `alone` where that has nothing else in hand.
     */
    active: (run: string) => `${prefix}:active:{${run}}`,
    /** Hash: chunk number → parts taken out of it or its parts so far; part → the ranges of numbers of those taken out of it. */
    parts: (run: string) => `${prefix}:parts:{${run}}`,
    /** Hash: image id → images of the smallest piece it was lost with, and after spaces the workers it took down alone. */
    suspects: (run: string) => `${prefix}:suspects:{${run}}`,
    /** Bitmap: the chunk numbers announced so far, so that announcing twice counts once. */
    announced: (run: string) => `${prefix}:announced:{${run}}`,
    /** String: the producer that announced the chunk lives, and is about to add its job; expires. */
    vouched: (run: string, chunk: number) => `${prefix}:vouched:{${run}}:${chunk}`,
    /** Hash: warning → how often, for what went on all the same but the user should know. */
    warnings: (run: string) => `${prefix}:warnings:{${run}}`,
    /** Hash: image id → row, one of ROW_BUCKETS of the run. */
    rows: (run: string, bucket: number) => `${prefix}:rows:{${run}.${bucket}}`,
    /** Hash: fingerprint of a model → the number that rows in that bucket have for it. */
    fingerprints: (run: string, bucket: number) => `${prefix}:fingerprints:{${run}.${bucket}}`,
    /** Hash: status → rows in that bucket; moved only by the script that writes them. */
    counts: (run: string, bucket: number) => `${prefix}:counts:{${run}.${bucket}}`,
    /** Hash: `image:ID` and `texts` → the vectors of a run that says `redis:` or `redis:run`, as float32; expires. */
    vectors: (run: string) => `${prefix}:vectors:{${run}}`,
    /** Hash: a batch of the gateway, and how far its windows are; expires. */
    batch: (id: string) => `${prefix}:batch:{${id}}`,
    /** String: the gateway that carries the batch; expires. */
    batchLease: (id: string) => `${prefix}:batch-lease:{${id}}`,
    /** Sorted set: batch → when it was made, in milliseconds. */
    batches: () => `${prefix}:batches`,
    /** Set: the batches that have not ended. */
    batchesUnderWay: () => `${prefix}:batches-under-way`,
    /** Hash: where the end of the run is told, and how far that is. */
    webhook: (run: string) => `${prefix}:webhook:{${run}}`,
    /** Sorted set: run whose end is to be told → when it is looked at next, in milliseconds of Redis's clock. */
    webhooks: () => `${prefix}:webhooks`,
    /** Channel: the ids of runs, published as they become complete. */
    ended: () => `${prefix}:ended`,
    /** String: canonical JSON of a label set. */
    labelSet: (id: string) => `${prefix}:labelset:${id}`,
    /** Hash: one label matrix, shared by the fleet. */
    matrix: (key: string) => `${prefix}:matrix:{${key}}`,
    /** String: the worker that is encoding a matrix. */
    matrixLease: (key: string) => `${prefix}:matrix-lease:{${key}}`,
    /** Hash: model identity → what workers said of it when they started. */
    models: () => `${prefix}:models`,
    /** Sorted set: the workers that serve a model, by the time each was last heard of. */
    workers: (model: string) => `${prefix}:workers:{${model}}`,
    /** String: what one of them did last; expires. */
    worker: (model: string, worker: string) => `${prefix}:worker:{${model}}:${worker}`,
    /** Sorted set: worker → time of its last heartbeat, in milliseconds of the clock below. */
    heartbeats: () => `${prefix}:{heart}:beats`,
    /** Hash: worker → for how long a silence it is not given up, in milliseconds. */
    heartPatience: () => `${prefix}:{heart}:patience`,
    /** Hash: the time that passed between heartbeats, `time`, and when the last one was taken, `at`; milliseconds. */
    heartClock: () => `${prefix}:{heart}:clock`,
    /** String: the worker of the lane that said last that it has nothing to do; expires. The lane's name is its own hash tag. */
    shareWanted: (lane: string) => `${prefix}:share-wanted:${lane}`,
    /** Hash: what the fleet knows of a host that images come from, and who is asking it. */
    host: (host: string) => `${prefix}:host:{${host}}`,
  };
}

export type Keys = ReturnType<typeof keysUnder>;
