import { findModel, type ModelChoice } from '../worker/loadModel.ts';
import type { ModelFiles } from '../worker/model.ts';
import { createDownloadProgress } from './downloadProgress.ts';

/** The model's files; a download shows how it gets on, on standard error. */
export async function findModelShown(choice: ModelChoice): Promise<ModelFiles> {
  const progress = createDownloadProgress();
  try {
    return await findModel(choice, {
      onProgress: progress.update,
      onWarning: (warning) => process.stderr.write(`Warning: ${warning}\n`),
    });
  } finally {
    progress.stop();
  }
}
