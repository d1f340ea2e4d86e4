import {
  type FindModelOptions,
  findModel,
  type LoadedModel,
  type ModelChoice,
  type SessionConfig,
  startModel,
} from '../../worker/model/loadModel.ts';
import type { ModelFiles } from '../../worker/model/model.ts';
import { createDownloadProgress } from './downloadProgress.ts';
import { say } from './screen.ts';

/** The model's files; a download shows how it gets on, on standard error. */
export function findModelShown(choice: ModelChoice): Promise<ModelFiles> {
  return showing((options) => findModel(choice, options));
}

/** The model with its session; its scale may have to be downloaded. */
export function startModelShown(files: ModelFiles, config: SessionConfig): Promise<LoadedModel> {
  return showing((options) => startModel(files, config, options));
}

async function showing<T>(work: (options: FindModelOptions) => Promise<T>): Promise<T> {
  const progress = createDownloadProgress();
  try {
    return await work({
      onProgress: progress.update,
      onWarning: warn,
    });
  } finally {
    progress.stop();
  }
}

function warn(warning: string): void {
  say(`Warning: ${warning}`);
}
