import type { TestContext } from 'node:test';
import { addDemoRun, runCompletes } from './demoRun.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { type HeldImages, serveHeldImages } from './heldImages.ts';
import { startPoliteWorker } from './politeFleet.ts';

export interface HeldFleet extends HeldImages {
  fleet: Fleet;
  /** Adds a run of the server's paths, eight to a chunk. */
  add(run: string, paths: readonly string[]): ReturnType<typeof addDemoRun>;
}

/**
 * A worker with three places for images, which has the labels already, and servers of held images. Each image has a host of its own, so that none waits for a turn:
 * how long it would wait, and what overtakes it meanwhile, is up to the machine.
 */
export async function startHeldFleet(t: TestContext): Promise<HeldFleet> {
  const fleet = await startFleet(t);
  const held = await serveHeldImages(t);
  const add: HeldFleet['add'] = async (run, paths) => {
    const urls = await Promise.all(paths.map(held.urlAlone));
    return addDemoRun(fleet, run, urls, { chunkSize: 8 });
  };
  await add('first', ['/quick.jpg']);
  await startPoliteWorker(fleet, '--images-in-flight', '3', '--fetch-timeout-ms', '600000');
  await runCompletes(fleet, 'first');
  return { ...held, fleet, add };
}
