import { Queue } from 'bullmq';
import type { AddOptions, OpenRun } from '../../src/producer/runs/openRun.ts';
import { laneName } from '../../src/shared/fleet/lanes.ts';
import { defineLabelSet } from '../../src/shared/labels/labelSet.ts';
import { findModel } from '../../src/worker/model/loadModel.ts';
import { addsUp } from './account.ts';
import { demoModel, type Fleet } from './fleet.ts';
import { until } from './support.ts';

const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });

async function demoIdentity(): Promise<string> {
  return (await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' })).identity;
}

/** Opens a run of the demo model, or opens it again. */
export async function openDemoRun({ producer }: Fleet, run: string): Promise<OpenRun> {
  return producer.openRun({ model: await demoIdentity(), labelSet, run });
}

/** A sealed run of images whose ids are their uris. */
export async function addDemoRun(fleet: Fleet, run: string, uris: string[], how: AddOptions): Promise<void> {
  const open = await openDemoRun(fleet, run);
  const images = uris.map((uri) => ({ id: uri, uri }));
  await open.add(images, how);
  await open.seal();
  await open.close();
}

/** How many jobs the demo model's bulk lane has, done ones left out. */
export async function demoLane({ redis }: Fleet): Promise<{ all: number; delayed: number }> {
  const lane = new Queue(laneName('bulk', await demoIdentity()), { connection: redis, prefix: 'clipfleet' });
  const { delayed = 0, ...others } = await lane.getJobCounts('delayed', 'active', 'waiting', 'failed');
  await lane.close();
  return { all: Object.values(others).reduce((sum, jobs) => sum + jobs, delayed), delayed };
}

export async function runCompletes({ producer }: Fleet, run: string): Promise<void> {
  const isComplete = async () => addsUp(await producer.progress(run)).complete;
  await until(isComplete, `run ${run} is complete`);
}
