import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineLabelSet } from '../../src/shared/labels/labelSet.ts';
import type { Row } from '../../src/shared/rows/row.ts';
import { findModel } from '../../src/worker/model/loadModel.ts';
import { demoModel, type Fleet, pictures, type Running } from './fleet.ts';
import { until } from './support.ts';

export const owl = await readFile(join(pictures, 'owl.jpg'));

/** Opens a run of these URLs, `r` unless named, in this order, and seals it. */
export async function addUrls(
  fleet: Fleet,
  urls: string[],
  { run: name = 'r', ...how }: { chunkSize?: number; attempts?: number; run?: string },
) {
  const { identity: model } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await fleet.producer.openRun({ model, labelSet, run: name });
  await run.add(
    urls.map((uri) => ({ id: uri, uri })),
    how,
  );
  await run.seal();
  await run.close();
}

/** A worker that reads from the loopback, once it takes jobs. */
export async function startPoliteWorker(fleet: Fleet, ...args: string[]): Promise<Running> {
  const worker = fleet.start('worker', '--model', demoModel, '--allow-private-addresses', ...args);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker takes jobs');
  return worker;
}

export async function runIsComplete({ producer }: Fleet, run = 'r'): Promise<void> {
  const isComplete = async () => (await producer.runs.get(run))?.state === 'complete';
  await until(isComplete, `run ${run} is complete`, 60_000);
}

export function codeOf(row: Row): string {
  return row.status === 'failed' ? row.error.code : row.status;
}
