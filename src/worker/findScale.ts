import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ClipfleetError } from '../shared/errors.ts';
import { knownScale } from './knownScales.ts';
import { type ReadRange, readSafetensorsScale, withFileRanges } from './logitScale.ts';
import type { Scale } from './rank.ts';

/** A logit scale, and where it was found: stored and shown with the model, because scores mean nothing without it. */
export interface SourcedScale extends Scale {
  source: string;
}

export interface ScaleQuery {
  dir: string;
  /** Of a model of the Hub. */
  name: string | undefined;
  /** The checkpoint that `config.json` says the graphs were exported from. */
  exportedFrom: string | undefined;
  /** What the user said. */
  given: { logitScale: number | undefined; logitBias: number | undefined };
  /** Reads the checkpoint on the Hub, where there is one. */
  readHub:
    | ((
        repository: string,
        use: (read: ReadRange) => Promise<Scale | undefined>,
      ) => Promise<Scale | undefined>)
    | undefined;
  /** Path of the joint graph, which the session thread can solve the scale from. */
  joint: string | undefined;
}

/**
 * The model's logit scale and bias: what the user gave, the checkpoint beside the graphs, the joint graph, the table of
 * known models, the checkpoint on the Hub, in this order. `solve` means that the session thread is to solve it from the
 * joint graph.
 *
 * @throws MODEL_SCALE_UNKNOWN: a guess would give wrong scores that look right
 */
export async function findScale(query: ScaleQuery): Promise<SourcedScale | { solve: string }> {
  const { given, dir, joint } = query;
  if (given.logitScale !== undefined) {
    return { logitScale: given.logitScale, logitBias: given.logitBias ?? 0, source: 'given by the user' };
  }
  const local = await localCheckpoint(dir);
  if (local) return { ...local, source: 'model.safetensors beside the graphs' };
  if (joint) return { solve: joint };
  const known = knownScale(query.name, query.exportedFrom);
  if (known) return { ...known, source: 'table of known models' };
  for (const repository of [query.name, query.exportedFrom]) {
    if (!repository || !query.readHub) continue;
    const remote = await query.readHub(repository, readSafetensorsScale);
    if (remote) return { ...remote, source: `model.safetensors of ${repository}` };
  }
  throw new ClipfleetError(
    'MODEL_SCALE_UNKNOWN',
    `Expected the logit scale of ${query.name ?? dir}: it is in neither model.safetensors nor a joint onnx/model.onnx ` +
      'there, and the model is not one of the known ones. Scores would be guesses without it: add one of the two ' +
      'files, or read logit_scale (and logit_bias) from the checkpoint and give --logit-scale (their exponential) and --logit-bias.',
  );
}

async function localCheckpoint(dir: string): Promise<Scale | undefined> {
  const path = join(dir, 'model.safetensors');
  return existsSync(path) ? withFileRanges(path, readSafetensorsScale) : undefined;
}
