import { createHash } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { readKept } from './keptWire.ts';
import { until } from './support.ts';

/**
 * A producer as somebody wrote it from docs/wire-format.md of version 1: it has the page's scripts, its keys and the form of
 * its rows, and nothing of Clipfleet's own code.
 */
export function createForeignProducer(redis: Redis, { run, model }: { run: string; model: string }) {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const lane = `{bulk-${model.split('@')[0]}-${sha256(model).slice(0, 10)}}`;
  const key = (name: string) => `clipfleet:${name}:{${run}}`;
  const evaluate = (script: string, keys: string[], ...args: (string | number)[]) =>
    redis.eval(readKept(`${script}.lua`), keys.length, ...keys, ...args);

  return {
    async open(labels: string[]): Promise<unknown> {
      // Written out in the order of RFC 8785.
      const set = { labels: labels.map((label) => ({ label })), templates: ['This is a photo of {}.'], v: 1 };
      const canonical = JSON.stringify(set);
      await redis.set(`clipfleet:labelset:${sha256(canonical)}`, canonical, 'NX');
      return evaluate('open', [key('run')], model, sha256(canonical), lane, '1', new Date().toISOString());
    },
    announce: (chunk: number, images: number) =>
      evaluate('announce', [key('run'), key('chunks'), key('announced')], chunk, images),
    takeBack: (chunk: number) =>
      evaluate('take-back', [key('run'), key('chunks'), key('active'), key('parts')], chunk, '0'),
    async addJob(chunk: number, images: string[]): Promise<void> {
      const queue = new Queue(lane, { connection: redis, prefix: 'clipfleet' });
      const options = { jobId: `${run}.${chunk}.0`, attempts: 3, backoff: { type: 'custom' } };
      await queue.add('chunk', { v: 1, images }, options);
      await queue.close();
    },
    seal: () => redis.hset(key('run'), 'sealedAt', new Date().toISOString()),
    completes: () =>
      until(async () => {
        const [sealedAt, pending] = await redis.hmget(key('run'), 'sealedAt', 'pending');
        return sealedAt !== null && Number(pending) === 0;
      }, `run ${run} is complete`),
    /** The best label of each image, or the code of its error. */
    async answers(labels: string[]): Promise<Record<string, string | undefined>> {
      const answers: Record<string, string | undefined> = {};
      for (const bucket of [0, 1, 2, 3]) {
        const rows = await redis.hgetallBuffer(`clipfleet:rows:{${run}.${bucket}}`);
        for (const [id, stored] of Object.entries(rows)) answers[id] = bestOf(stored, labels);
      }
      return answers;
    },
  };
}

/** Reads a row from its first byte to the best label, as the page describes it. */
function bestOf(stored: Buffer, labels: string[]): string | undefined {
  let at = 6;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = stored[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const text = (length: number) => {
    at += length;
    return stored.toString('utf8', at - length, at);
  };
  const classified = stored.readUInt16BE(0) % 2 === 1;
  if (!classified) return text(varint());
  const [_chunk, _index, uri] = [varint(), varint(), varint()];
  text(Math.max(uri - 1, 0));
  const [_fingerprint, predictions] = [varint(), varint() >> 2];
  return predictions > 0 ? labels[varint()] : undefined;
}
