import { ClipfleetError } from '../../shared/errors.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import type { ModelFiles } from '../model/model.ts';
import type { SessionPlan } from '../model/sessionPlan.ts';
import { builtGraphs } from '../model/towerGraphs.ts';
import { startSession } from '../session/session.ts';
import { distance, embed, patterns, rowOf, VERIFY_TEXTS } from './patternImages.ts';

/** One thing that was checked of a model on this machine. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was measured, or found. */
  detail: string;
}

const IMAGES = 8;

/**
 * Of an export that has its checkpoint beside it: how far its embeddings are from those of towers built from that. No check where there is
 * only one of the two.
 *
 * @param tolerance cosine distances that the dtype allows
 */
export async function checkCheckpoint(
  files: ModelFiles,
  model: LoadedModel,
  tolerance: { image: number; text: number },
  { device, settings }: Pick<SessionPlan, 'device' | 'settings'>,
): Promise<Check[]> {
  if (files.built || !files.checkpoint) return [];
  const name = 'checkpoint';
  try {
    const { graphs } = await builtGraphs(files.dir, files.checkpoint);
    const session = await startSession({
      ...files.towers,
      graphs,
      preprocessing: files.preprocessing,
      device,
      threads: settings.threads,
      batchSize: IMAGES,
      solveScaleFrom: undefined,
    });
    try {
      const images = patterns(IMAGES, model);
      const [image, text] = [
        largest(await embed(model, images), await embed({ session }, images), IMAGES, model),
        largest(
          (await model.session.embedTexts(VERIFY_TEXTS)).embeddings,
          (await session.embedTexts(VERIFY_TEXTS)).embeddings,
          VERIFY_TEXTS.length,
          model,
        ),
      ];
      const detail = `the export is at a cosine distance of at most ${image.toExponential(1)} in images, ${text.toExponential(1)} in texts`;
      return [{ name, ok: image <= tolerance.image && text <= tolerance.text, detail }];
    } finally {
      await session.close();
    }
  } catch (error) {
    if (!(error instanceof ClipfleetError)) throw error;
    const unsupported = error.code === 'MODEL_UNSUPPORTED';
    return [{ name, ok: unsupported, detail: `not compared: ${error.message}` }];
  }
}

function largest(ours: Float32Array, theirs: Float32Array, count: number, model: LoadedModel): number {
  const rows = Array.from({ length: count }, (_, i) =>
    distance(rowOf(ours, i, model), rowOf(theirs, i, model)),
  );
  return Math.max(...rows);
}
