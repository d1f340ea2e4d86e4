import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../shared/config.ts';
import { ClipfleetError } from '../shared/errors.ts';
import { type ModelFiles, readModelFiles } from './model.ts';
import type { Scoring } from './rank.ts';
import { type Session, startSession } from './session.ts';

/** A model with its session running, and all that must go with it. */
export interface LoadedModel extends Pick<ModelFiles, 'identity' | 'fingerprint' | 'preprocessing'> {
  scoring: Scoring;
  session: Session;
}

export const modelOptions = ['model', 'dtype', 'device', 'threads'] as const;

export type ModelConfig = Config<(typeof modelOptions)[number]>;

/** The files of what `--model` names. */
export async function findModel(config: Pick<ModelConfig, 'model' | 'dtype'>): Promise<ModelFiles> {
  return readModelFiles({ dir: localDirectory(config.model), dtype: config.dtype });
}

/** Whether `--model` names a directory, rather than a model by its name. */
export function isModelDirectory(model: string): boolean {
  return existsSync(join(localDirectory(model), 'config.json'));
}

/** A directory as given, or one that ships with Clipfleet, so that `models/demo` works from any folder. */
function localDirectory(model: string): string {
  const bundled = fileURLToPath(new URL(`../../../${model}`, import.meta.url));
  return !existsSync(model) && model.startsWith('models/') && existsSync(bundled) ? bundled : resolve(model);
}

/**
 * Opens the model's sessions in their thread.
 *
 * @throws what reading the files throws, MODEL_SCALE_UNKNOWN
 */
export async function startModel(
  files: ModelFiles,
  config: Pick<ModelConfig, 'device' | 'threads'>,
): Promise<LoadedModel> {
  const { identity, fingerprint, preprocessing, scoreFunction } = files;
  if (!files.scale && !files.joint) throw scaleUnknown(files);
  const session = await startSession({
    modelDir: files.dir,
    graphs: files.graphs,
    preprocessing,
    textLimits: files.textLimits,
    device: config.device,
    threads: config.threads,
    solveScaleFrom: files.scale ? undefined : files.joint,
  });
  const scale = files.scale ?? session.solvedScale;
  if (!scale) throw scaleUnknown(files);
  return { identity, fingerprint, preprocessing, session, scoring: { ...scale, scoreFunction } };
}

function scaleUnknown({ dir }: ModelFiles): ClipfleetError {
  return new ClipfleetError(
    'MODEL_SCALE_UNKNOWN',
    `Expected the logit scale in ${dir}: neither onnx/model.onnx, the joint graph, nor model.safetensors is there. ` +
      'Scores would be guesses without it: add one of the two files.',
  );
}
