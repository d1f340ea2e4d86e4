import { join, posix } from 'node:path';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { buildTowers, TOWERS_VERSION } from '../checkpoint/buildTowers.ts';
import { readShards } from '../checkpoint/checkpointWeights.ts';
import type { Arithmetic } from '../checkpoint/towerGraph.ts';
import type { CheckpointPaths, ExportPaths, TowerPaths } from '../layout/modelLayout.ts';
import type { NamedGraph } from '../onnx/graph.ts';
import { graphOverFile } from '../onnx/graphOverFile.ts';
import type { TowersSpec } from '../session/towers.ts';
import { readJson } from './readJson.ts';

/** The graphs of a model, and what they are made of. */
export interface TowerGraphs {
  graphs: TowersSpec['graphs'];
  /** Paths of the files from the model's folder. */
  files: string[];
  /** Of what writes the graphs; undefined where they were exported. */
  version: string | undefined;
  /** Side of the images that the image tower takes, in pixels, where it is known. */
  imageSide: number | undefined;
  /** Whether the towers are built from weights in float16. */
  storedAsHalf: boolean;
}

/** Graphs of an ONNX export, with their weights where they lie. @throws MODEL_INVALID */
export async function exportedGraphs(dir: string, paths: ExportPaths): Promise<TowerGraphs> {
  const files: string[] = [];
  const open = async (path: string): Promise<NamedGraph> => {
    const name = join(dir, path);
    try {
      const { locations, ...graph } = await graphOverFile(name);
      files.push(path, ...locations.map((location) => posix.join(posix.dirname(path), location)));
      return { name, ...graph };
    } catch (error) {
      throw new ClipfleetError(
        'MODEL_INVALID',
        `Expected an ONNX graph with its weights in ${name}, got: ${(error as Error).message}`,
        { cause: error },
      );
    }
  };
  const graphs: TowersSpec['graphs'] =
    'joint' in paths
      ? { joint: await open(paths.joint) }
      : { vision: await open(paths.vision), text: await open(paths.text) };
  return { graphs, files, version: undefined, imageSide: undefined, storedAsHalf: false };
}

/** Towers built from a checkpoint. @throws MODEL_INVALID, MODEL_UNSUPPORTED */
export async function builtGraphs(
  dir: string,
  paths: CheckpointPaths,
  arithmetic: Arithmetic = 'fp32',
): Promise<TowerGraphs> {
  const files = { vision: await towerFiles(dir, paths.vision), text: await towerFiles(dir, paths.text) };
  const { vision, text, imageSide, storedAsHalf } = await buildTowers(files, arithmetic);
  const sides = [paths.vision, paths.text];
  return {
    graphs: { vision, text },
    files: [...new Set(sides.flatMap(({ config, weights }) => [config, ...weights]))],
    version: TOWERS_VERSION,
    imageSide,
    storedAsHalf,
  };
}

async function towerFiles(dir: string, { config, weights, index }: TowerPaths) {
  const path = join(dir, config);
  const found =
    index === undefined ? weights.map((file) => join(dir, file)) : await readShards(join(dir, index));
  return {
    config: await readJson(path, z.looseObject({})),
    where: path,
    weights: found,
  };
}
