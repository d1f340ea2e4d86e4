import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './fleet.ts';

export const goldenNames = ['clip', 'siglip', 'chinese-clip', 'demo'] as const;

/** What Python's transformers said; test/golden/make_goldens.py writes it and explains each field. */
export interface Golden {
  modelDir: string;
  imageDir: string;
  dimensions: number;
  width: number;
  height: number;
  logitScale: number;
  logitBias: number;
  scoreFunction: 'softmax' | 'sigmoid';
  images: { file: string; sourceWidth: number; sourceHeight: number }[];
  labelSets: GoldenLabelSet[];
  /** Of image i, the pixels after resizing and cropping. */
  pixels(image: number): Uint8Array;
  /** Row i of the unit vectors: images first, then texts. */
  vector(row: number): Float32Array;
}

export interface GoldenLabelSet {
  name: string;
  labels: string[];
  templates: string[];
  /** By template, by label. */
  tokens: number[][][];
  textRow: number;
  truncated: number[];
  results: { logits: number[]; scores: number[] }[];
}

export async function readGolden(name: (typeof goldenNames)[number]): Promise<Golden> {
  const path = (extension: string) => join(repository, 'test/golden/goldens', `${name}.${extension}`);
  const golden = JSON.parse(await readFile(path('json'), 'utf8')) as Golden;
  const u8 = Uint8Array.from(await readFile(path('u8')));
  const f32 = new Float32Array(Uint8Array.from(await readFile(path('f32'))).buffer);
  const imageBytes = golden.width * golden.height * 3;
  return {
    ...golden,
    pixels: (image) => u8.slice(image * imageBytes, (image + 1) * imageBytes),
    vector: (row) => f32.slice(row * golden.dimensions, (row + 1) * golden.dimensions),
  };
}

/** Of two lists of numbers, place by place. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
