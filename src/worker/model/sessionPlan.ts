import { createHash } from 'node:crypto';
import { userCacheFolder } from '../../shared/files/userFolders.ts';
import type { Config } from '../../shared/options/config.ts';
import type { Dtype } from '../onnx/dtype.ts';
import { computesInHalf, type Device, openDevice } from '../session/devices.ts';
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
  /** What the model is computed in on the device; of towers that are built it need not be that of the identity. */
  dtype: Dtype;
  /** The model's, and of towers that are computed in float16 one of their own: other numbers than on a device that casts them. */
  fingerprint: string;
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
  files: Pick<ModelFiles, 'fingerprint' | 'dtype' | 'built' | 'wantsHalf'>,
  choice: SessionChoice,
  { env = process.env, onWarning }: PlanOptions = {},
): Promise<SessionPlan> {
  const { cacheDir = userCacheFolder(env), cores, batchSize, threads, decoders } = choice;
  const device = await openDevice(choice.device);
  const half = files.wantsHalf && (await computesInHalf(device));
  const fingerprint = half ? ofHalf(files.fingerprint) : files.fingerprint;
  const resolved = await resolveSettings({
    given: { batchSize, threads, decoders },
    fingerprint,
    device: device.name,
    cacheDir,
    ...(cores !== undefined && { cores }),
    ...(onWarning && { onWarning }),
  });
  const dtype = half ? 'fp16' : files.built ? 'fp32' : files.dtype;
  return { device, dtype, fingerprint, cacheDir, answerMaxMs: choice.inferenceTimeoutMs, ...resolved };
}

function ofHalf(fingerprint: string): string {
  return createHash('sha256').update(`${fingerprint} float16`).digest('hex');
}
