import type { Redis } from 'ioredis';
import { namedRun, newBirth, type RunName } from '../birth.ts';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import { redisStoreName } from '../rows/redisResultsStore.ts';
import { chunkOf, WIRE_VERSION } from './chunkJob.ts';
import type { NewRun, Runs } from './ledger.ts';
import { originsIn } from './origins.ts';
import { type Begun, decodeRun } from './run.ts';
import { cancelledRun, checkStore, mismatchedRun, readingRun, unknownRun } from './runErrors.ts';
import { defineRunScripts } from './runScripts.ts';
import { createVouching } from './vouching.ts';

export type { AnnouncedBy, NewRun, Pending, Runs } from './ledger.ts';

/** Distinct warnings a run keeps: they are for reading, not a log. */
const WARNINGS_MAX = 100;

export function createRuns(redis: Redis, keys: Keys): Runs {
  defineRunScripts(redis);

  const finish = (of: RunName, piece: string, kept: number, whole: boolean) => {
    const { run, birth } = namedRun(of);
    const ledger = [keys.run(run), keys.chunks(run), keys.active(run), keys.parts(run)] as const;
    return redis.clipfleetFinish(...ledger, piece, kept, whole ? 'whole' : '', birth);
  };

  async function mark(of: RunName, field: string, value: string): Promise<void> {
    const { run, birth } = namedRun(of);
    if ((await redis.clipfleetMark(keys.run(run), field, value, birth)) === 0) throw unknownRun(run);
  }

  /** The script's word for it: 'ok' when the run is open now. */
  const open = (
    { run, model, labelSet, lane, store, storeAddress = '', expireAfterMs }: NewRun,
    how = '',
  ) => {
    const now = new Date().toISOString();
    const elsewhere = store === undefined || store === redisStoreName ? ['', ''] : [store, storeAddress];
    const given = [model, labelSet, lane, WIRE_VERSION, now, newBirth(), how, ...elsewhere];
    const expiry = expireAfterMs === undefined ? [] : [expireAfterMs];
    return redis.clipfleetOpenRun(keys.run(run), ...given, ...expiry);
  };

  const runs: Runs = {
    ...createVouching(redis, keys),

    async open(asked) {
      const { run, model, labelSet, lane, store = redisStoreName, storeAddress = 'Redis' } = asked;
      const answer = await open(asked);
      if (answer === 'cancelled') throw cancelledRun(run);
      const opened = await runs.get(run);
      if (answer === 'ok' && opened) return opened;
      if (answer === 'store' && opened) checkStore(opened, { name: store, address: storeAddress });
      throw mismatchedRun(run, answer, opened, { model, labelSet, lane });
    },

    async openNew(asked) {
      return (await open(asked, 'new')) === 'ok' ? runs.get(asked.run) : undefined;
    },

    async get(run) {
      const record = await readingRun(run, () => redis.hgetall(keys.run(run)));
      return record.model === undefined ? undefined : decodeRun(run, record);
    },

    async reserveChunks(of, count, least = 0) {
      const { run, birth } = namedRun(of);
      const first = await redis.clipfleetReserve(keys.run(run), birth, count, least);
      if (first < 0) throw unknownRun(run);
      return first;
    },

    async announce(of, chunk, images, generation = 0, producer) {
      const { run, birth } = namedRun(of);
      const ledger = [keys.run(run), keys.chunks(run), keys.announced(run)] as const;
      const by = producer === undefined ? [] : [producer];
      const pending = await redis.clipfleetAnnounce(...ledger, chunk, images, generation, birth, ...by);
      if (pending >= 0) return pending;
      if (pending === -3) throw cancelledRun(run);
      if (pending === -2) {
        throw new ClipfleetError('RUN_SEALED', `Run '${run}' is sealed: open it again before adding images.`);
      }
      throw unknownRun(run);
    },

    async announcedBy(of, producer) {
      const { run, birth } = namedRun(of);
      const fields = ['model', 'birth', 'sealedAt', `announced:${producer}`] as const;
      const [model, bornAs, sealedAt, images] = await redis.hmget(keys.run(run), ...fields);
      if (model === null || (birth !== '' && birth !== bornAs)) return undefined;
      return { images: Number(images ?? 0), isSealed: sealedAt !== null };
    },

    noteAnnounced: (of, producer, images) => mark(of, `announced:${producer}`, String(images)),

    async forgetProducer(run, producer) {
      await redis.hdel(keys.run(run), `announced:${producer}`);
    },

    async begin(of, piece, images, { worker, alone, from = '' }) {
      const { run, birth } = namedRun(of);
      const ledger = [keys.run(run), keys.active(run), keys.parts(run), keys.suspects(run)] as const;
      const about = [piece, images, worker, alone ? 'alone' : '', from, birth] as const;
      const [answer, hasSuspects] = await redis.clipfleetBegin(...ledger, ...about);
      const [kind, holder = ''] = answer.split(' ') as [Begun['kind'], string?];
      if (kind === 'held') return { kind, worker: holder };
      return kind === 'work' || kind === 'divided' ? { kind, hasSuspects: hasSuspects === 1 } : { kind };
    },

    async release(of, piece, worker = '') {
      const { run, birth } = namedRun(of);
      await redis.clipfleetRelease(keys.run(run), keys.active(run), birth, piece, worker);
    },

    split(of, chunk, images) {
      const { run, birth } = namedRun(of);
      const ledger = [keys.run(run), keys.chunks(run), keys.parts(run)] as const;
      return redis.clipfleetSplit(...ledger, birth, chunk, ...images);
    },

    divide(of, piece, images) {
      const { run, birth } = namedRun(of);
      const ledger = [keys.run(run), keys.chunks(run), keys.parts(run)] as const;
      return redis.clipfleetDivide(...ledger, birth, piece, ...images);
    },

    async finish(run, piece, whole = false) {
      await finish(run, piece, -1, whole);
    },

    withdraw: (run, piece, kept) => finish(run, piece, kept, false),

    async pending(run) {
      return Object.entries(await redis.hgetall(keys.chunks(run)))
        .map(([piece, value]) => {
          const [images, generation = 0] = value.split(' ').map(Number) as [number, number?];
          return { piece, images, generation };
        })
        .sort((a, b) => chunkOf(a.piece) - chunkOf(b.piece));
    },

    async divided(run) {
      return new Set((await redis.hkeys(keys.parts(run))).map(chunkOf));
    },

    origins: async (run) => originsIn(await redis.hgetall(keys.parts(run))),

    async active(run) {
      const held = await redis.hvals(keys.active(run));
      return held.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
    },

    async holders(run) {
      const held = Object.entries(await redis.hgetall(keys.active(run)));
      return new Map(held.map(([piece, text]) => [piece, text.split(' ')[1] ?? '']));
    },

    seal: (of) => mark(of, 'sealedAt', new Date().toISOString()),

    async warn(run, warning) {
      await redis.clipfleetWarn(keys.run(run), keys.warnings(run), warning, WARNINGS_MAX);
    },

    async warnings(run) {
      return (await readingRun(run, () => redis.hkeys(keys.warnings(run)))).sort();
    },
  };
  return runs;
}
