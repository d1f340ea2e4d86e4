import { LRUCache } from 'lru-cache';
import { storable } from './rowTexts.ts';
import type { SqlSession } from './sqlSession.ts';

/** What a store that is not beside the queue has to know of a run, from the run's record. */
export interface RunFacts {
  /** Of two runs of the same id, one after the other, tells which. */
  birth: string;
  model: string;
  labelSet: string;
  /** When the run is gone, in epoch milliseconds; undefined where it stays. */
  expiresAt?: number | undefined;
}

/** Where that is told. */
export interface RunRecords {
  /** Undefined for a run that is not there, or no more. */
  factsOf(run: string): Promise<RunFacts | undefined>;
  /** The names of a label set's labels, in order; none where it is not known. */
  labelsOf(labelSet: string): Promise<string[]>;
}

const openStatement = `
INSERT INTO clipfleet.runs (run, birth, model, label_set, expires_at) VALUES ($1, $2, $3, $4, to_timestamp($5::float8 / 1000))
ON CONFLICT (run, birth) DO NOTHING`;

/** The numbers that runs and fingerprints have in the tables. */
export function createRunKeys({ query }: SqlSession, records: RunRecords) {
  const keys = new LRUCache<string, { key: number; birth: string }>({ max: 10_000 });
  const fingerprints = new LRUCache<string, number>({ max: 10_000 });
  const labelSets = new LRUCache<string, true>({ max: 1_000 });

  async function storeLabels(labelSet: string): Promise<void> {
    if (labelSets.has(labelSet)) return;
    const labels = (await records.labelsOf(labelSet)).map(storable);
    await query(
      `INSERT INTO clipfleet.labels (label_set, place, label)
       SELECT $1, place - 1, label FROM unnest($2::text[]) WITH ORDINALITY AS given (label, place) ON CONFLICT DO NOTHING`,
      [labelSet, labels],
    );
    labelSets.set(labelSet, true);
  }

  return {
    /**
     * The run's number, given to it now where it has none; undefined for a run that is not there.
     *
     * @param of the birth that is asked for: undefined too where the run has another. Any where it is empty
     */
    async keyOf(run: string, of = ''): Promise<number | undefined> {
      const isAsked = (birth: string) => of === '' || of === birth;
      const known = keys.get(run);
      if (known && isAsked(known.birth)) return known.key;
      const facts = await records.factsOf(run);
      if (!facts || !isAsked(facts.birth)) return undefined;
      const { birth, model, labelSet, expiresAt } = facts;
      const find = () =>
        query<{ key: number }>('SELECT key FROM clipfleet.runs WHERE run = $1 AND birth = $2', [run, birth]);
      let [found] = await find();
      if (!found) {
        await storeLabels(labelSet);
        await query(openStatement, [run, birth, model, labelSet, expiresAt ?? null]);
        [found] = await find();
      }
      keys.set(run, { key: found!.key, birth });
      return found!.key;
    },

    async fingerprintKey(fingerprint: string): Promise<number> {
      const known = fingerprints.get(fingerprint);
      if (known !== undefined) return known;
      const given = 'INSERT INTO clipfleet.fingerprints (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING';
      await query(given, [fingerprint]);
      const [found] = await query<{ key: number }>(
        'SELECT key FROM clipfleet.fingerprints WHERE fingerprint = $1',
        [fingerprint],
      );
      fingerprints.set(fingerprint, found!.key);
      return found!.key;
    },

    /** The run may have another number by now: it was removed and opened anew. */
    forget(run: string): void {
      keys.delete(run);
    },

    /** The tables are not those that gave the numbers: they were restored from an older copy, say. */
    forgetAll(): void {
      for (const cache of [keys, fingerprints, labelSets]) cache.clear();
    },
  };
}

export type RunKeys = ReturnType<typeof createRunKeys>;
