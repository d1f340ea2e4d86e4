import type { Scale } from '../score/rank.ts';

const clip100: Scale = { logitScale: 100, logitBias: 0 };

/**
 * Logit scales of well-known checkpoints, for exports that lack them.
 *
 * OpenAI's: the scale was clipped at 100 in training (Radford et al. 2021, section 2.5), and all released ViT
 * checkpoints ended there: `logit_scale` 4.6052, whose exponential is 100.0.
 * google/siglip-base-patch16-224: the checkpoint's `logit_scale` 4.76499 and `logit_bias` -12.932437, to be seen in its
 * model.safetensors; its joint ONNX graph gives the same two numbers back.
 *
 * Only numbers that were read from a checkpoint or its graph stand here. A model that is not listed is looked up in its
 * checkpoint, or refused.
 */
const scales = new Map<string, Scale>([
  ['openai/clip-vit-base-patch32', clip100],
  ['openai/clip-vit-base-patch16', clip100],
  ['openai/clip-vit-large-patch14', clip100],
  ['openai/clip-vit-large-patch14-336', clip100],
  ['google/siglip-base-patch16-224', { logitScale: 117.330765, logitBias: -12.932437 }],
]);

/** Repositories that hold ONNX exports of checkpoints under the same name. */
const EXPORTERS = ['Xenova/', 'onnx-community/'];

/** Whether a repository holds a checkpoint's graphs as they are, so that what the checkpoint says holds for it too. */
export function isPlainExport(name: string): boolean {
  return EXPORTERS.some((prefix) => name.startsWith(prefix));
}

/** The scale of a model of the Hub, by its name or that of the checkpoint it is an export of. */
export function knownScale(name: string): Scale | undefined {
  const exporter = EXPORTERS.find((prefix) => name.startsWith(prefix));
  if (!exporter) return scales.get(name);
  const model = name.slice(exporter.length).replace(/-ONNX$/, '');
  return scales.get(`openai/${model}`) ?? scales.get(`google/${model}`);
}
