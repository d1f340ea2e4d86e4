import { workerData } from 'node:worker_threads';
import { serveThread } from '../onnx/threadServer.ts';
import type { SessionNotice, SessionRequest } from './session.ts';
import { openTowers, type SessionInfo, type TowersSpec } from './towers.ts';

/** The session thread: loads the towers, then answers one request after the other. */
await serveThread<SessionRequest, SessionInfo, SessionNotice>(async (tell) => {
  const towers = await openTowers(workerData as TowersSpec);
  let told: number | undefined;
  /** Before the answer, so that no batch is made too large in between. */
  const tellFitting = () => {
    const imagesFitting = towers.imagesFitting();
    if (imagesFitting === undefined || imagesFitting === told) return;
    told = imagesFitting;
    tell({ imagesFitting });
  };
  tellFitting();
  return {
    ready: towers.info,
    async answer(request) {
      if (request.kind === 'images') {
        const embeddings = await towers.embedImages(request.pixels, request.count).finally(tellFitting);
        return { answer: embeddings, moved: [embeddings.buffer as ArrayBuffer] };
      }
      const embedded = await towers.embedTexts(request.prompts);
      return { answer: embedded, moved: [embedded.embeddings.buffer as ArrayBuffer] };
    },
  };
}, 'MODEL_INVALID');
