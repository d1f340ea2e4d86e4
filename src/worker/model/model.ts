import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { formatIdentity } from '../../shared/fleet/modelIdentity.ts';
import type { DecodeOptions } from '../decode/decode.ts';
import { PREPROCESSING_VERSION, type Preprocessing, parsePreprocessing } from '../decode/preprocessing.ts';
import { type Dtype, dtypeSuffix, dtypes } from '../onnx/dtype.ts';
import type { Scoring } from '../score/rank.ts';
import type { TextLimits } from '../session/tokenizer.ts';
import type { TowersSpec } from '../session/towers.ts';

/** A model's files, read and checked; no session is open yet. */
export interface ModelFiles {
  /** `name@revision:dtype`: what a run names, and what a lane's name is made from. */
  identity: string;
  /** SHA-256 over graphs, tokenizer, preprocessing and dtype: two models with the same answers have the same. */
  fingerprint: string;
  dtype: Dtype;
  dir: string;
  graphs: TowersSpec['graphs'];
  hashes: TowersSpec['hashes'];
  /** The joint graph, where there is one beside the towers. */
  joint: string | undefined;
  preprocessing: Preprocessing;
  decoding: Decoding;
  textLimits: TextLimits;
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
  dtype: Dtype;
  decoding?: Decoding;
  /** For a model of the Hub; a directory is named after itself and its content. */
  name?: string;
  revision?: string;
}

/** The families whose graphs, prompts and scores are those of CLIP or SigLIP. */
const FAMILIES = ['clip', 'chinese_clip', 'metaclip_2', 'siglip', 'siglip2'];

const configSchema = z.object({
  model_type: z.string(),
  _name_or_path: z.string().optional(),
  text_config: z.object({ max_position_embeddings: z.int().positive().optional() }).optional(),
});

const tokenizerConfigSchema = z.object({ model_max_length: z.number().positive().optional() });

/**
 * Reads a model directory in the layout of the Hub's ONNX exports: `config.json`, `preprocessor_config.json`,
 * `tokenizer.json`, `tokenizer_config.json` and `onnx/{vision_model,text_model,model}<dtype>.onnx`.
 *
 * @throws MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED
 */
export async function readModelFiles(source: ModelSource): Promise<ModelFiles> {
  const { dir, dtype, decoding = {} } = source;
  if (!existsSync(join(dir, 'config.json'))) {
    throw new ClipfleetError(
      'MODEL_NOT_FOUND',
      `Expected a model directory with a config.json, got '${dir}'. The bundled one is models/demo.`,
    );
  }
  const config = await readJson(join(dir, 'config.json'), configSchema);
  if (!FAMILIES.includes(config.model_type)) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `Expected a model of the families ${FAMILIES.join(', ')}, got model_type '${config.model_type}' in ${dir}.`,
    );
  }
  const sigmoid = config.model_type.startsWith('siglip');
  const tokenizerConfig = await readJson(join(dir, 'tokenizer_config.json'), tokenizerConfigSchema);
  const processor = await readJson(join(dir, 'preprocessor_config.json'), z.unknown());
  const { graphs, joint } = findGraphs(dir, dtype);
  const textLimits = textLimitsOf(config, tokenizerConfig, sigmoid);
  const { fingerprint, hashes } = await fingerprintOf(dir, graphs, { dtype, decoding, textLimits });
  const name = source.name ?? basename(await realpath(dir)).replace(/[@:\s]+/g, '-');
  const revision = source.revision ?? fingerprint.slice(0, 12);
  return {
    identity: formatIdentity({ name, revision, dtype }),
    fingerprint,
    dtype,
    dir,
    graphs,
    hashes,
    joint,
    preprocessing: parsePreprocessing(processor, config.model_type),
    decoding,
    textLimits,
    scoreFunction: sigmoid ? 'sigmoid' : 'softmax',
    exportedFrom: config._name_or_path,
    hub: source.name && source.revision ? { name: source.name, commit: source.revision } : undefined,
  };
}

function findGraphs(dir: string, dtype: Dtype) {
  const path = (graph: string, of: Dtype) => join(dir, 'onnx', `${graph}${dtypeSuffix[of]}.onnx`);
  const present = (of: Dtype) => ({
    towers: existsSync(path('vision_model', of)) && existsSync(path('text_model', of)),
    joint: existsSync(path('model', of)),
  });
  const { towers, joint } = present(dtype);
  const jointPath = joint ? path('model', dtype) : undefined;
  if (towers) {
    return {
      graphs: { vision: path('vision_model', dtype), text: path('text_model', dtype) },
      joint: jointPath,
    };
  }
  if (jointPath) return { graphs: { joint: jointPath }, joint: jointPath };
  const there = dtypes.filter((of) => present(of).towers || present(of).joint);
  throw new ClipfleetError(
    'MODEL_NOT_FOUND',
    `Expected ONNX graphs of dtype ${dtype} in ${join(dir, 'onnx')}, got ${there.join(', ') || 'none'}.` +
      (there.length > 0 ? ` Choose one of them with --dtype.` : ''),
  );
}

function textLimitsOf(
  config: z.infer<typeof configSchema>,
  tokenizerConfig: z.infer<typeof tokenizerConfigSchema>,
  sigmoid: boolean,
): TextLimits {
  // Python's zero-shot pipeline pads and cuts every SigLIP's texts to 64 tokens.
  if (sigmoid) return { maxTokens: 64, padTo: 'max' };
  // What a CLIP's config leaves out is CLIPTextConfig's default, 77; a Chinese CLIP's text tower is a BERT of 512.
  const byDefault = config.model_type === 'chinese_clip' ? 512 : 77;
  const positions = config.text_config?.max_position_embeddings ?? byDefault;
  // Tokenizers without a limit of their own write 1e30.
  return { maxTokens: Math.min(positions, tokenizerConfig.model_max_length ?? positions), padTo: 'longest' };
}

async function fingerprintOf(
  dir: string,
  graphs: TowersSpec['graphs'],
  { dtype, decoding, textLimits }: Pick<ModelFiles, 'textLimits' | 'decoding'> & { dtype: Dtype },
): Promise<Pick<ModelFiles, 'fingerprint' | 'hashes'>> {
  const { cropRounding = 'floor', exif = 'apply' } = decoding;
  const { maxTokens, padTo } = textLimits;
  const onnx = join(dir, 'onnx');
  const external = (await readdir(onnx)).filter((file) => /\.onnx[._]data/.test(file));
  const stems = Object.values(graphs).map((path) => basename(path));
  const weights = external
    .filter((file) => stems.some((stem) => file.startsWith(stem)))
    .map((f) => join(onnx, f));
  const files = [
    ...Object.values(graphs),
    ...weights.sort(),
    join(dir, 'tokenizer.json'),
    join(dir, 'preprocessor_config.json'),
  ];
  const hash = createHash('sha256');
  hash.update(JSON.stringify([dtype, PREPROCESSING_VERSION, cropRounding, exif, maxTokens, padTo]));
  const hashes: Record<string, string> = {};
  for (const file of files) {
    hashes[file] = await sha256Of(file);
    hash.update(`${basename(file)} ${hashes[file]}\n`);
  }
  return { fingerprint: hash.digest('hex'), hashes };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash).catch((error: Error) => {
    throw new ClipfleetError('MODEL_INVALID', `Expected a readable ${path}, got: ${error.message}.`, {
      cause: error,
    });
  });
  return hash.digest('hex');
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new ClipfleetError('MODEL_INVALID', `Expected a readable ${path}, got: ${reason}`, {
      cause: error,
    });
  }
}
