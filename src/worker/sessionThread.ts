import { workerData } from 'node:worker_threads';
import type { SessionInfo, SessionRequest } from './session.ts';
import { serveThread } from './threadServer.ts';
import { openTowers, type TowersSpec } from './towers.ts';

/** The session thread: loads the towers, then answers one request after the other. */
await serveThread<SessionRequest, SessionInfo>(async () => {
  const towers = await openTowers(workerData as TowersSpec);
  return {
    ready: { dimensions: towers.dimensions, solvedScale: towers.solvedScale },
    async answer(request) {
      if (request.kind === 'images') {
        const embeddings = await towers.embedImages(request.pixels, request.count);
        return { answer: embeddings, moved: [embeddings.buffer as ArrayBuffer] };
      }
      const embedded = await towers.embedTexts(request.prompts);
      return { answer: embedded, moved: [embedded.embeddings.buffer as ArrayBuffer] };
    },
  };
}, 'MODEL_INVALID');
