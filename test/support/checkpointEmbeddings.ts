// The embeddings that towers built from a small checkpoint give, on any device.
import type { CheckpointFiles } from '../../src/worker/checkpoint/buildTowers.ts';
import { type NamedGraph, openGraph } from '../../src/worker/onnx/graph.ts';
import type { Preprocessing } from '../../src/worker/resize/preprocessing.ts';
import type { Device } from '../../src/worker/session/devices.ts';
import { runGraph } from '../../src/worker/session/feeds.ts';
import { openImageGraph } from '../../src/worker/session/imageGraph.ts';
import { embeddingsOf, pick } from '../../src/worker/session/towerOutputs.ts';
import type { CheckpointGolden } from './checkpointGoldens.ts';

const name = 'a test';

/** Both towers from one checkpoint. */
export function filesOf({
  config,
  weights,
  dir,
}: CheckpointGolden): Record<'vision' | 'text', CheckpointFiles> {
  const files = { config, weights, where: dir };
  return { vision: files, text: files };
}

/** Unit vectors of the golden's images. */
export async function embedImages(tower: NamedGraph, golden: CheckpointGolden, device: Device) {
  const half = [0.5, 0.5, 0.5] as const;
  const preprocessing: Preprocessing = {
    version: '',
    resize: { width: golden.side, height: golden.side },
    resample: 'bicubic',
    crop: undefined,
    width: golden.side,
    height: golden.side,
    rescaleFactor: 1 / 255,
    normalize: { mean: half, std: half },
  };
  const how = { providers: device.providers, threads: 1 };
  const graph = await openImageGraph(tower, preprocessing, device, how);
  const count = golden.pixels.length / golden.side ** 2 / 3;
  const outputs = await runGraph(graph, { data: golden.pixels, count, preprocessing }, undefined);
  return embeddingsOf(pick(outputs, ['image_embeds', 'pooler_output'], name), count, undefined, name);
}

/** Unit vectors of the golden's texts. */
export async function embedTexts(tower: NamedGraph, { ids, mask }: CheckpointGolden, device: Device) {
  const [count, length] = [ids.length, ids[0]!.length];
  const big = (rows: number[][]) => BigInt64Array.from(rows.flat(), BigInt);
  const tokens = { ids: big(ids), mask: big(mask), count, length, truncated: [] };
  const graph = await openGraph(tower, { providers: device.providers, threads: 1 });
  const outputs = await runGraph(graph, undefined, tokens);
  return embeddingsOf(pick(outputs, ['text_embeds', 'pooler_output'], name), count, undefined, name);
}
