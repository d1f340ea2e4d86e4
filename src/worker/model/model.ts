import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { DEFAULT_DTYPE, formatIdentity } from '../../shared/fleet/modelIdentity.ts';
import { OPEN_CLIP_CONFIG } from '../checkpoint/openClipConfig.ts';
import type { DecodeOptions } from '../decode/decode.ts';
import { listFolder } from '../layout/listFolder.ts';
import { type CheckpointPaths, findLayout, type ModelLayout } from '../layout/modelLayout.ts';
import type { Dtype } from '../onnx/dtype.ts';
import { PREPROCESSING_VERSION, type Preprocessing } from '../resize/preprocessing.ts';
import type { Scoring } from '../score/rank.ts';
import type { TowersSpec } from '../session/towers.ts';
import type { TextLimits } from '../tokenizer/tokenizer.ts';
import { type FamilyConfig, readFamily } from './familyConfig.ts';
import { fingerprintOf } from './fingerprint.ts';
import { readJson } from './readJson.ts';
import { readProcessor } from './readProcessor.ts';
import { builtGraphs, exportedGraphs, type TowerGraphs } from './towerGraphs.ts';

/** A model's files, read and checked; no session is open yet. */
export interface ModelFiles {
  /** `name@revision:dtype`: what a run names, and what a lane's name is made from. */
  identity: string;
  /** SHA-256 over graphs, tokenizer, preprocessing and dtype: two models with the same answers have the same. */
  fingerprint: string;
  /** That of the identity. */
  dtype: Dtype;
  dir: string;
  /** What the session thread is told of the model. */
  towers: Pick<TowersSpec, 'graphs' | 'outputs' | 'projection' | 'tokenizer' | 'textLimits'>;
  /** Whether the towers are built from the checkpoint, or of an ONNX export. */
  built: boolean;
  /** Whether towers that are built are to be computed in float16 where the device does: asked for, or because they are stored so. */
  wantsHalf: boolean;
  /** The path of the joint graph, where there is one. */
  joint: string | undefined;
  /** The checkpoint from which the towers are or could be built, where there is one. */
  checkpoint: CheckpointPaths | undefined;
  preprocessing: Preprocessing;
  decoding: Decoding;
  scoreFunction: Scoring['scoreFunction'];
  /** The checkpoint that the graphs were exported from, where `config.json` says. */
  exportedFrom: string | undefined;
  /** Of a model of the Hub. */
  hub: { name: string; commit: string } | undefined;
}

/** How pixels are made where the model does not say; part of the fingerprint, because it changes embeddings. */
export type Decoding = Pick<DecodeOptions, 'cropRounding' | 'exif'>;

export interface ModelSource {
  dir: string;
  /** As `--dtype`. */
  dtype?: Dtype | undefined;
  decoding?: Decoding;
  /** For a model of the Hub; a directory is named after itself and its content. */
  name?: string;
  revision?: string;
}

const tokenizerConfigSchema = z.object({ model_max_length: z.number().positive().nullish() });

/**
 * Reads a model directory: a checkpoint as its authors publish it, or the graphs of an ONNX export, which go first, each with its
 * configuration, its image processor and its tokenizer. `findLayout` says which files are looked for.
 *
 * @throws MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED
 */
export async function readModelFiles(source: ModelSource): Promise<ModelFiles> {
  const { dir, dtype = DEFAULT_DTYPE, decoding = {} } = source;
  const listed = await listFolder(dir);
  if (!listed.some((path) => ['config.json', OPEN_CLIP_CONFIG].includes(basename(path)))) {
    throw new ClipfleetError(
      'MODEL_NOT_FOUND',
      `Expected a model directory with a config.json, got '${dir}'. The bundled one is models/demo.`,
    );
  }
  const layout = findLayout(listed, dtype, dir);
  const family = await readFamily(dir, layout);
  const processor = await readProcessor(dir, layout.processors, family.modelType);
  const textLimits = await textLimitsOf(dir, layout, family);
  const towers = layout.graphs
    ? await exportedGraphs(dir, layout.graphs)
    : await builtGraphs(dir, layout.checkpoint!);
  const built = towers.version !== undefined;
  checkImageSide(processor, towers, dir);
  const files = [...towers.files, layout.config, processor.path, ...layout.tokenizer.files];
  const fingerprint = await fingerprintOf(
    settingsOf(dtype, decoding, textLimits, towers),
    new Map(files.map((file) => [file, join(dir, file)])),
  );
  const name = source.name ?? basename(await realpath(dir)).replace(/[@:\s]+/g, '-');
  const revision = source.revision ?? fingerprint.slice(0, 12);
  return {
    identity: formatIdentity({ name, revision, dtype }),
    fingerprint,
    dtype,
    dir,
    towers: {
      graphs: towers.graphs,
      outputs: family.outputs,
      projection: family.projection,
      tokenizer: { dir: join(dir, layout.tokenizer.dir), modelType: family.modelType },
      textLimits,
    },
    built,
    wantsHalf: built && (source.dtype === undefined ? towers.storedAsHalf : dtype === 'fp16'),
    joint: layout.joint && join(dir, layout.joint),
    checkpoint: layout.checkpoint,
    preprocessing: processor.preprocessing,
    decoding,
    scoreFunction: family.isSiglip ? 'sigmoid' : 'softmax',
    exportedFrom: family.exportedFrom,
    hub: source.name && source.revision ? { name: source.name, commit: source.revision } : undefined,
  };
}

function checkImageSide(
  { path, preprocessing: { width, height } }: { path: string; preprocessing: Preprocessing },
  { imageSide }: TowerGraphs,
  dir: string,
): void {
  if (imageSide === undefined || (width === imageSide && height === imageSide)) return;
  throw new ClipfleetError(
    'MODEL_INVALID',
    `Expected images of ${imageSide} × ${imageSide}, which config.json says, from ${join(dir, path)}, got ${width} × ${height}: ` +
      'the two files are of different models.',
  );
}

/** What changes embeddings and is in none of the files. */
function settingsOf(dtype: Dtype, decoding: Decoding, { maxTokens, padTo }: TextLimits, towers: TowerGraphs) {
  const { cropRounding = 'floor', exif = 'apply' } = decoding;
  return [dtype, PREPROCESSING_VERSION, cropRounding, exif, maxTokens, padTo, towers.version ?? 'export'];
}

async function textLimitsOf(
  dir: string,
  { tokenizer }: ModelLayout,
  { isSiglip, modelType, positions }: FamilyConfig,
): Promise<TextLimits> {
  // Python's zero-shot pipeline pads and cuts every SigLIP's texts to 64 tokens.
  if (isSiglip) return { maxTokens: 64, padTo: 'max' };
  // What a CLIP's config leaves out is CLIPTextConfig's default, 77; a Chinese CLIP's text tower is a BERT of 512.
  const places = positions ?? (modelType === 'chinese_clip' ? 512 : 77);
  const path = `${tokenizer.dir}tokenizer_config.json`;
  const config = tokenizer.files.includes(path)
    ? await readJson(join(dir, path), tokenizerConfigSchema)
    : undefined;
  // Tokenizers without a limit of their own write 1e30.
  return { maxTokens: Math.min(places, config?.model_max_length ?? places), padTo: 'longest' };
}
