import type { GivenScale } from '../../../worker/model/findScale.ts';
import {
  type FindModelOptions,
  findModel,
  type HubClient,
  type LoadedModel,
  type ModelChoice,
  startModel,
} from '../../../worker/model/loadModel.ts';
import type { ModelFiles } from '../../../worker/model/model.ts';
import { planSession, type SessionChoice, type SessionPlan } from '../../../worker/model/sessionPlan.ts';
import { say } from '../screen.ts';
import { createDownloadProgress } from './downloadProgress.ts';

/** The model's files; a download shows how it gets on, on standard error. */
export function findModelShown(choice: ModelChoice): Promise<ModelFiles> {
  return showing((options) => findModel(choice, options));
}

/** The model with its session; its scale may have to be downloaded. */
export function startModelShown(
  files: ModelFiles,
  plan: SessionPlan,
  given: GivenScale & HubClient,
): Promise<LoadedModel> {
  return showing((options) => startModel(files, plan, given, options));
}

/** How the model's session will run; a file of settings that is ignored is named on standard error. */
export function planSessionShown(files: ModelFiles, choice: SessionChoice): Promise<SessionPlan> {
  return planSession(files, choice, { onWarning: warn });
}

async function showing<T>(work: (options: FindModelOptions) => Promise<T>): Promise<T> {
  const progress = createDownloadProgress();
  try {
    return await work({
      onDownload: progress.announce,
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
