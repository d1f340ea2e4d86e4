import type { GivenScale } from '../../src/worker/model/findScale.ts';
import {
  type FindModelOptions,
  type HubClient,
  type LoadedModel,
  startModel,
} from '../../src/worker/model/loadModel.ts';
import type { ModelFiles } from '../../src/worker/model/model.ts';
import { planSession, type SessionChoice } from '../../src/worker/model/sessionPlan.ts';

/** A model with its session on one thread of the CPU. */
export async function startOnCpu(
  files: ModelFiles,
  choice: Omit<SessionChoice, 'device'> & GivenScale & HubClient = {},
  onWarning: (warning: string) => void = () => {},
  options: FindModelOptions = {},
): Promise<LoadedModel> {
  const plan = await planSession(files, { threads: 1, ...choice, device: 'cpu' }, { ...options, onWarning });
  return startModel(files, plan, choice, { ...options, onWarning });
}
