import { ClipfleetError } from '../../shared/errors.ts';
import { OPEN_CLIP_CONFIG } from '../checkpoint/openClipConfig.ts';
import { type Dtype, dtypeSuffix, dtypes } from '../onnx/dtype.ts';

/** The files of one tower's checkpoint. */
export interface TowerPaths {
  config: string;
  /** One file, or the shards: in safetensors, or as PyTorch saves them. */
  weights: string[];
  /** What lists the shards. */
  index?: string;
}

/** Graphs of an ONNX export. */
export type ExportPaths = { vision: string; text: string } | { joint: string };

/** What the towers are built from: both from one checkpoint, or each from its own. */
export interface CheckpointPaths {
  vision: TowerPaths;
  text: TowerPaths;
}

/** Which files make a model. All are paths from the directory or repository, with slashes. */
export interface ModelLayout {
  /** The graphs to run; undefined where the towers are to be built from the checkpoint. */
  graphs: ExportPaths | undefined;
  /** The joint graph, where there is one. */
  joint: string | undefined;
  /** Undefined where there is none. */
  checkpoint: CheckpointPaths | undefined;
  /** What says the family. */
  config: string;
  /** Image processors, of which the first that has one counts. */
  processors: string[];
  tokenizer: { dir: string; files: string[] };
}

/** Where the parts of a model lie: at the top, in the folders of ONNX exports, of Immich's, and of pipelines with separate towers. */
export const layoutFolders = [
  '',
  'onnx/',
  'visual/',
  'textual/',
  'image_encoder/',
  'text_encoder/',
  'tokenizer/',
  'image_processor/',
];

const processors = [
  'processor_config.json',
  'preprocessor_config.json',
  'image_processor/preprocessor_config.json',
  'visual/preprocess_cfg.json',
];

/** What towers that are built from a checkpoint can be asked for in. */
const builtDtypes: readonly Dtype[] = ['fp32', 'fp16'];

/** Weights in one file, with their shards; those that PyTorch's pickle names only where there are no others. */
const weightForms = [
  { file: 'model.safetensors', shard: /^model-\d{5}-of-\d{5}\.safetensors$/ },
  { file: 'pytorch_model.bin', shard: /^pytorch_model-\d{5}-of-\d{5}\.bin$/ },
];

/** Any one of the lists is a tokenizer. */
const tokenizers = [['tokenizer.json'], ['vocab.json', 'merges.txt'], ['vocab.txt']];
const besideTokenizer = ['tokenizer_config.json', 'special_tokens_map.json'];

/**
 * Finds a model among the files of a directory or repository. An ONNX export of the dtype goes before a checkpoint; both towers before a joint graph.
 *
 * @param where the place, for messages
 * @throws MODEL_NOT_FOUND where there is a model but none of the dtype, MODEL_UNSUPPORTED where there is none, or not all of it
 */
export function findLayout(listed: readonly string[], dtype: Dtype, where: string): ModelLayout {
  const has = (path: string) => listed.includes(path);
  const graphs = exportOf(has, dtype);
  const checkpoint = checkpointOf(listed);
  if (!graphs && !(checkpoint && builtDtypes.includes(dtype))) throw nothingToRun(listed, dtype, where);
  const config = [checkpoint?.vision.config, 'config.json'].find((path) => path !== undefined && has(path));
  const tokenizer = tokenizerOf(has);
  // What open_clip says of its weights is in one file; a processor beside it may be of the same model in another layout.
  const found = config === OPEN_CLIP_CONFIG ? [OPEN_CLIP_CONFIG] : processors.filter(has);
  const missing = [
    ...(config ? [] : ['config.json']),
    ...(found.length > 0 ? [] : ['preprocessor_config.json']),
    ...(tokenizer ? [] : ['tokenizer.json']),
  ];
  if (!config || !tokenizer || missing.length > 0) {
    throw new ClipfleetError(
      'MODEL_UNSUPPORTED',
      `${where} lacks ${missing.join(', ')}: expected a model with its configuration, its image processor and its tokenizer, ` +
        'such as openai/clip-vit-base-patch32.',
    );
  }
  const joint = [`onnx/model${dtypeSuffix[dtype]}.onnx`, `model${dtypeSuffix[dtype]}.onnx`].find(has);
  return { graphs, joint, checkpoint, config, processors: found, tokenizer };
}

/** Paths of the files that a layout needs before its graphs or its weights, which must come last. */
export function smallFilesOf({ config, processors, tokenizer, checkpoint }: ModelLayout): string[] {
  const towers = checkpoint ? [checkpoint.vision, checkpoint.text] : [];
  const ofTowers = towers.flatMap((tower) => [tower.config, ...(tower.index ? [tower.index] : [])]);
  return [...new Set([config, ...ofTowers, ...processors, ...tokenizer.files])];
}

/** Paths of the graphs, or of the weights where the towers are built from them. */
export function largeFilesOf({ graphs, checkpoint }: ModelLayout): string[] {
  if (graphs) return Object.values(graphs);
  return checkpoint ? [...new Set([...checkpoint.vision.weights, ...checkpoint.text.weights])] : [];
}

function exportOf(has: (path: string) => boolean, dtype: Dtype): ExportPaths | undefined {
  const graph = (folder: string, stem: string) => `${folder}${stem}${dtypeSuffix[dtype]}.onnx`;
  const pairs = [
    { vision: graph('onnx/', 'vision_model'), text: graph('onnx/', 'text_model') },
    { vision: graph('', 'vision_model'), text: graph('', 'text_model') },
    { vision: graph('visual/', 'model'), text: graph('textual/', 'model') },
  ];
  const joints = [graph('onnx/', 'model'), graph('', 'model')];
  const pair = pairs.find(({ vision, text }) => has(vision) && has(text));
  const joint = joints.find(has);
  return pair ?? (joint === undefined ? undefined : { joint });
}

function checkpointOf(listed: readonly string[]): CheckpointPaths | undefined {
  const whole = towerOf(listed, '') ?? openClipOf(listed);
  if (whole) return { vision: whole, text: whole };
  const vision = towerOf(listed, 'image_encoder/');
  const text = towerOf(listed, 'text_encoder/');
  return vision && text && { vision, text };
}

function towerOf(listed: readonly string[], folder: string): TowerPaths | undefined {
  const config = `${folder}config.json`;
  if (!listed.includes(config)) return undefined;
  for (const { file, shard } of weightForms) {
    const [one, index] = [folder + file, `${folder}${file}.index.json`];
    if (listed.includes(one)) return { config, weights: [one] };
    const shards = listed.filter((path) => path.startsWith(folder) && shard.test(path.slice(folder.length)));
    const total = Number(/of-(\d+)/.exec(shards[0] ?? '')?.[1]);
    if (listed.includes(index) && shards.length === total) return { config, weights: shards.sort(), index };
  }
  return undefined;
}

function openClipOf(listed: readonly string[]): TowerPaths | undefined {
  const weights = ['open_clip_model.safetensors', 'open_clip_pytorch_model.bin'].find((file) =>
    listed.includes(file),
  );
  if (weights === undefined || !listed.includes(OPEN_CLIP_CONFIG)) return undefined;
  return { config: OPEN_CLIP_CONFIG, weights: [weights] };
}

function tokenizerOf(has: (path: string) => boolean): ModelLayout['tokenizer'] | undefined {
  for (const dir of ['', 'tokenizer/', 'textual/']) {
    const files = tokenizers
      .map((names) => names.map((name) => dir + name))
      .find((paths) => paths.every(has));
    if (files) return { dir, files: [...files, ...besideTokenizer.map((name) => dir + name).filter(has)] };
  }
  return undefined;
}

function nothingToRun(listed: readonly string[], dtype: Dtype, where: string): ClipfleetError {
  const has = (path: string) => listed.includes(path);
  const built = checkpointOf(listed) ? builtDtypes : [];
  const present = dtypes.filter((other) => built.includes(other) || exportOf(has, other) !== undefined);
  if (present.length > 0) {
    return new ClipfleetError(
      'MODEL_NOT_FOUND',
      `${where} has nothing of dtype ${dtype}; it has ${present.join(', ')}. Choose one of them with --dtype.`,
    );
  }
  return new ClipfleetError(
    'MODEL_UNSUPPORTED',
    `${where} has neither a checkpoint (config.json with model.safetensors or pytorch_model.bin, or those of open_clip) nor ONNX graphs ` +
      '(onnx/vision_model.onnx and onnx/text_model.onnx, or onnx/model.onnx). Take a repository that has one of them, such as ' +
      'openai/clip-vit-base-patch32.',
  );
}
