import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import type { Fleet, Running } from './fleet.ts';
import { serveHttp } from './imageServer.ts';
import { addUrls, owl, startPoliteWorker } from './politeFleet.ts';

/** One chunk, of more images than a worker begins at once. */
export const IMAGES = 60;
/** Images in flight: what a worker of these tests has begun and cannot give back. */
export const BEGUN = 6;
/** The most images of a part. */
export const BATCH = 4;

/** Run `r` of one chunk. Each image has a host of its own, so that none waits for a turn; all answer when told to. */
export async function startHoldingRun(t: TestContext, fleet: Fleet) {
  const held: { worker: string; response: ServerResponse }[] = [];
  let answers = false;
  const urls: string[] = [];
  while (urls.length < IMAGES) {
    const url = await serveHttp(t, (request, response) => {
      if (answers) response.end(owl);
      else held.push({ worker: request.headers['user-agent'] ?? '', response });
    });
    urls.push(`${url}/owl.jpg`);
  }
  await addUrls(fleet, urls, { chunkSize: IMAGES });
  return {
    /** Requests of a worker that wait for their answer. */
    heldOf: (worker: string) => held.filter((request) => request.worker === worker).length,
    /** From now on everything is answered. */
    answer() {
      answers = true;
      for (const { response } of held) response.end(owl);
    },
  };
}

/** A worker that the server knows by its name. */
export function startNamedWorker(fleet: Fleet, name: string): Promise<Running> {
  const size = ['--batch-size', `${BATCH}`, '--images-in-flight', `${BEGUN}`];
  return startPoliteWorker(fleet, '--user-agent', name, '--lock-ms', '1000', ...size);
}
