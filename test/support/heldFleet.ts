import type { TestContext } from 'node:test';
import { addDemoRun } from './demoRun.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { type HeldImages, serveHeldImages } from './heldImages.ts';
import { startPoliteWorker } from './politeFleet.ts';

export interface HeldFleet extends HeldImages {
  fleet: Fleet;
  /** Adds a run of the server's paths, eight to a chunk. */
  add(run: string, paths: readonly string[]): ReturnType<typeof addDemoRun>;
}

/**
 * A worker with three places for images, and a server of held ones. A host that has not answered yet, or that had nothing to do
 * for a second, is asked for one image at a time: a run that is to be held up at three begins with one that is not held.
 */
export async function startHeldFleet(t: TestContext): Promise<HeldFleet> {
  const fleet = await startFleet(t);
  const held = await serveHeldImages(t);
  const add: HeldFleet['add'] = (run, paths) => {
    const urls = paths.map((path) => held.url + path);
    return addDemoRun(fleet, run, urls, { chunkSize: 8 });
  };
  await startPoliteWorker(fleet, '--images-in-flight', '3', '--fetch-timeout-ms', '600000');
  return { ...held, fleet, add };
}
