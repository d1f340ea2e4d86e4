import { basename } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { readCheckpoint, withFileRanges } from '../checkpoint/checkpointWeights.ts';
import type { ReadRange } from '../checkpoint/safetensors.ts';
import type { Scale, Scoring } from '../score/rank.ts';
import { isPlainExport, knownScale } from './knownScales.ts';
import { readSafetensorsScale, scaleIn } from './safetensorsScale.ts';

/** A logit scale, and where it was found: stored and shown with the model, because scores mean nothing without it. */
export interface SourcedScale extends Scale {
  source: string;
}

/** The scale that the user said; half of it is refused where the model's score function needs both. */
export interface GivenScale {
  logitScale?: number | undefined;
  logitBias?: number | undefined;
}

export interface ScaleQuery {
  dir: string;
  /** Paths of the checkpoint's files, where there is one. */
  weights: readonly string[];
  /** Of a model of the Hub. */
  name: string | undefined;
  /** The checkpoint that `config.json` says the graphs were exported from. */
  exportedFrom: string | undefined;
  scoreFunction: Scoring['scoreFunction'];
  given: GivenScale;
  /** Reads the checkpoint on the Hub, where there is one. */
  readHub:
    | ((
        repository: string,
        use: (read: ReadRange) => Promise<Scale | undefined>,
      ) => Promise<Scale | undefined>)
    | undefined;
  /** Path of the joint graph, which the session thread can solve the scale from. */
  joint: string | undefined;
  /** Brings the joint graph of a model of the Hub, where there is one. */
  downloadJoint: (() => Promise<string | undefined>) | undefined;
}

/**
 * The model's logit scale and bias: what the user gave, its checkpoint, the joint graph; then, of a
 * model of the Hub, the table of known models, its model.safetensors there, those of the checkpoint it is a plain export of,
 * and, at last, for it is large, its joint graph there. `solve` means that the session thread is to solve it from the joint graph.
 *
 * @throws MODEL_SCALE_UNKNOWN: a guess would give wrong scores that look right; USAGE where the user said half of it
 */
export async function findScale(query: ScaleQuery): Promise<SourcedScale | { solve: string }> {
  const { dir, weights, joint } = query;
  const given = givenScale(query);
  if (given) return { ...given, source: 'given by the user' };
  const local = await localScale(weights);
  if (local) return local;
  if (joint) return { solve: joint };
  for (const repository of checkpointsOf(query)) {
    const known = knownScale(repository);
    if (known) return { ...known, source: `known scale of ${repository}` };
    const remote = await query.readHub?.(repository, (read) =>
      readSafetensorsScale(read, `model.safetensors of ${repository}`),
    );
    if (remote) return { ...remote, source: `model.safetensors of ${repository}` };
  }
  const downloaded = await query.downloadJoint?.();
  if (downloaded) return { solve: downloaded };
  throw new ClipfleetError(
    'MODEL_SCALE_UNKNOWN',
    `Expected the logit scale of ${query.name ?? dir}: it is in neither model.safetensors nor a joint onnx/model.onnx ` +
      'there, and the model is not one of the known ones. Scores would be guesses without it: add one of the two ' +
      'files, or read logit_scale (and logit_bias) from the checkpoint and give --logit-scale (their exponential) and --logit-bias.',
  );
}

/** A fine-tuned model names the one it began as, whose scale it no longer has: only plain exports are taken at their word. */
function checkpointsOf({ name, exportedFrom }: ScaleQuery): string[] {
  if (name === undefined) return [];
  return exportedFrom !== undefined && isPlainExport(name) ? [name, exportedFrom] : [name];
}

function givenScale({ given: { logitScale, logitBias }, scoreFunction }: ScaleQuery): Scale | undefined {
  if (logitScale === undefined) {
    if (logitBias === undefined) return undefined;
    throw new ClipfleetError(
      'USAGE',
      'Expected --logit-scale beside --logit-bias: one without the other scores wrongly.',
    );
  }
  if (logitBias === undefined && scoreFunction === 'sigmoid') {
    throw new ClipfleetError(
      'USAGE',
      'Expected --logit-bias beside --logit-scale for a SigLIP, whose scores mean nothing without it.',
    );
  }
  return { logitScale, logitBias: logitBias ?? 0 };
}

async function localScale(weights: readonly string[]): Promise<SourcedScale | undefined> {
  for (const path of weights) {
    const scale = await scaleOf(path);
    if (scale) return { ...scale, source: `${basename(path)} of the model` };
  }
  return undefined;
}

async function scaleOf(path: string): Promise<Scale | undefined> {
  const tensors = await readCheckpoint([path]).catch((error: unknown) => {
    // Beside an export it may be of any program. Towers that are built have read theirs by now.
    if (path.endsWith('.bin')) return undefined;
    throw error;
  });
  return tensors && withFileRanges(path, (read) => scaleIn(tensors, read));
}
