// Small random checkpoints and what Python's transformers says of them; test/golden/make_checkpoints.py and make_open_clip.py write them.
import { copyFile, cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { repository } from './fleet.ts';
import { temporaryFolder } from './support.ts';

export const checkpointFolder = join(repository, 'test/golden/checkpoints');

/** One directory each, with `golden.json`: dtypes, shards, and both rules of where a text ends. */
export const variantNames = [
  'clip-end-by-id',
  'clip-end-highest-f16-shards',
  'metaclip-2-bf16',
  'siglip-bf16',
  'siglip-f16',
  'chinese-clip-f16',
  'open-clip',
  'open-clip-custom-text',
] as const;

/** Models of test/golden/models, whose weights are here as a checkpoint. */
export const checkpointsOfModels = ['clip', 'siglip', 'chinese-clip'] as const;

export interface CheckpointGolden {
  dir: string;
  /** `config.json`, or what open_clip has for it. */
  config: { model_type: string };
  /** Paths of the files in safetensors. */
  weights: string[];
  side: number;
  dimensions: number;
  /** RGB of images laid end to end. */
  pixels: Uint8Array;
  ids: number[][];
  mask: number[][];
  /** Unit vectors laid end to end. */
  images: Float32Array;
  texts: Float32Array;
}

export async function readCheckpointGolden(name: string): Promise<CheckpointGolden> {
  const dir = join(checkpointFolder, name);
  const json = async (file: string) => JSON.parse(await readFile(join(dir, file), 'utf8'));
  const golden = await json('golden.json');
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));
  const files = (await readdir(dir)).filter((file) => file.endsWith('.safetensors')).sort();
  return {
    ...golden,
    dir,
    config: await json(name.startsWith('open-clip') ? 'open_clip_config.json' : 'config.json'),
    weights: files.map((file) => join(dir, file)),
    pixels: bytes(golden.pixels),
    images: new Float32Array(bytes(golden.images).buffer),
    texts: new Float32Array(bytes(golden.texts).buffer),
  };
}

/** A directory with a model of test/golden/models as its authors would publish it: its checkpoint, and no ONNX graphs. */
export async function checkpointModel(t: TestContext, name: string): Promise<string> {
  const dir = join(await temporaryFolder(t), name);
  const filter = (path: string) => !path.includes('/onnx');
  await cp(join(repository, 'test/golden/models', name), dir, { recursive: true, filter });
  await copyFile(join(checkpointFolder, name, 'model.safetensors'), join(dir, 'model.safetensors'));
  return dir;
}
