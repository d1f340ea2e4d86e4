import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { type FailedRow, noLabelSet } from '../../shared/rows/row.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { runParams } from '../schemas/runBody.ts';

/** Rows that a summary is made of, at most. A store gives them in no order, so that of a larger run they are a sample. */
const ROWS_MAX = 50_000;
const LABELS_MAX = 1_000;

const summaryAnswer = z.object({
  rows: z.int().describe(`Rows that were read, at most ${ROWS_MAX}.`),
  classified: z.int().describe('Of those, the classified ones.'),
  isWhole: z.boolean().describe('Whether they are all rows that the run has now.'),
  labels: z
    .array(
      z.object({
        label: z.string().optional().describe('Absent for images that have every label below its threshold.'),
        images: z.int(),
      }),
    )
    .describe(`Images of those rows by their best label, the most frequent first, at most ${LABELS_MAX}.`),
  labelsFound: z.int().describe('Labels that are the best of an image of those rows.'),
  failures: z
    .array(
      z.object({
        code: z.string(),
        images: z.int().describe('Of all rows of the run.'),
        example: z
          .object({ id: z.string(), message: z.string() })
          .optional()
          .describe('Absent where none was among the rows that were read.'),
      }),
    )
    .describe('The most frequent first.'),
});

/** What a run found, in short: for people who look, while it is in progress too. */
export function summaryRoutes(app: GatewayApp, { producer, redis, prefix }: GatewayOptions): void {
  app.get(
    '/v1/runs/:run/summary',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'How often each label is the best one, and what failed, with an example of each code.',
        params: runParams,
        response: { 200: summaryAnswer, ...problems(404) },
      },
    },
    async ({ params: { run } }) => {
      const { labelSet } = await producer.describe(run);
      const { rows, isWhole, best, examples } = await gather(producer, run);
      const { failures } = await producer.progress(run);
      // A run whose label set is unknown has failed rows only; one for vectors alone names no label.
      const names =
        best.size === 0 || labelSet === noLabelSet
          ? []
          : (await readLabelSet(redis, keysUnder(prefix), labelSet)).labels;
      const labels = ranked(best).slice(0, LABELS_MAX);
      return {
        rows,
        isWhole,
        classified: [...best.values()].reduce((sum, images) => sum + images, 0),
        labels: labels.map(([index, images]) => ({ label: names[index ?? -1]?.label, images })),
        labelsFound: [...best.keys()].filter((index) => index !== undefined).length,
        failures: ranked(Object.entries(failures)).map(([code, images]) => {
          const row = examples.get(code);
          return { code, images, ...(row && { example: { id: row.id, message: row.error.message } }) };
        }),
      };
    },
  );
}

interface Gathered {
  rows: number;
  isWhole: boolean;
  /** Images by the index of their best label; undefined where there is none. */
  best: Map<number | undefined, number>;
  /** A failed row of each code. */
  examples: Map<string, FailedRow>;
}

async function gather({ store }: Producer, run: string): Promise<Gathered> {
  // While a run is written to, a page may repeat rows of an earlier one.
  const seen = new Set<string>();
  const best: Gathered['best'] = new Map();
  const examples: Gathered['examples'] = new Map();
  let cursor: string | undefined;
  do {
    const page = await store.getRows(run, cursor);
    for (const row of page.rows) {
      if (seen.has(row.id)) continue;
      seen.add(row.id);
      if (row.status === 'failed') {
        if (!examples.has(row.error.code)) examples.set(row.error.code, row);
        continue;
      }
      const index = row.predictions[0]?.index;
      best.set(index, (best.get(index) ?? 0) + 1);
    }
    cursor = page.cursor;
  } while (cursor !== undefined && seen.size < ROWS_MAX);
  return { rows: seen.size, isWhole: cursor === undefined, best, examples };
}

function ranked<K>(counts: Iterable<[K, number]>): [K, number][] {
  return [...counts].sort(([, a], [, b]) => b - a);
}
