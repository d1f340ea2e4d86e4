import { userCacheFolder } from '../../shared/files/userFolders.ts';
import type { Config } from '../../shared/options/config.ts';
import { type Device, openDevice } from '../session/devices.ts';
import { type ResolvedSettings, resolveSettings } from '../session/settings.ts';
import type { Settings } from '../session/tuned.ts';
import type { ModelFiles } from './model.ts';

/** What is said of how a model's session is to run; what is absent is found out. */
export interface SessionChoice {
  /** As it is named with `--device`: `auto`, `cpu`, `cuda:1`. */
  device: Config<'device'>['device'];
  batchSize?: Settings['batchSize'] | undefined;
  threads?: Settings['threads'] | undefined;
  decoders?: Settings['decoders'] | undefined;
  /** That of the command line when absent. */
  cacheDir?: string | undefined;
  /** Cores this process has for itself; those of the machine when absent. */
  cores?: number | undefined;
  /** How long one batch may take before the session counts as hung; by default a multiple of the first. */
  inferenceTimeoutMs?: number | undefined;
}

/** How a model's session runs: all that depends on the model and the machine, resolved once, before it is started. */
export interface SessionPlan extends ResolvedSettings {
  device: Device;
  cacheDir: string;
  /** How long one batch may take before the session counts as hung, in milliseconds; by default a multiple of the first. */
  answerMaxMs: number | undefined;
}

interface PlanOptions {
  env?: NodeJS.ProcessEnv;
  /** Told of a file of settings that is ignored. */
  onWarning?: (warning: string) => void;
}

/** @throws DEVICE_UNAVAILABLE */
export async function planSession(
  { fingerprint }: Pick<ModelFiles, 'fingerprint'>,
  choice: SessionChoice,
  { env = process.env, onWarning }: PlanOptions = {},
): Promise<SessionPlan> {
  const { cacheDir = userCacheFolder(env), cores, batchSize, threads, decoders } = choice;
  const device = await openDevice(choice.device);
  const resolved = await resolveSettings({
    given: { batchSize, threads, decoders },
    fingerprint,
    device: device.name,
    cacheDir,
    ...(cores !== undefined && { cores }),
    ...(onWarning && { onWarning }),
  });
  return { device, cacheDir, answerMaxMs: choice.inferenceTimeoutMs, ...resolved };
}
