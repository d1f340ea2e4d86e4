import sharp from 'sharp';

/** A file of a good seed, changed: how, and what it is now. */
export interface Mutant {
  seed: string;
  change: 'cut' | 'bits' | 'header' | 'stretch' | 'deleted' | 'inserted' | 'other magic' | 'size';
  bytes: Buffer;
}

export const seedNames = ['jpeg', 'progressive', 'png', 'webp', 'lossless', 'gif', 'tiff', 'avif'] as const;

/** Bounds that a mutant's header may break. */
export const bounds = { pixelsMax: 10_000, sideMax: 20_000, timeoutMs: 20_000 };

const [WIDTH, HEIGHT] = [72, 54];

/** The same picture in each format. */
export async function makeSeeds(): Promise<Map<string, Buffer>> {
  const pixels = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
    return 128 + 90 * Math.sin(x / 6 + (i % 3)) * Math.cos(y / 5) + ((i * 7919) % 30);
  });
  const picture = () => sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
  const [jpeg, progressive, png, webp, lossless, gif, tiff, avif] = await Promise.all([
    picture().jpeg().toBuffer(),
    picture().jpeg({ progressive: true }).toBuffer(),
    picture().png().toBuffer(),
    picture().webp().toBuffer(),
    picture().webp({ lossless: true }).toBuffer(),
    picture().gif().toBuffer(),
    picture().tiff({ compression: 'lzw' }).toBuffer(),
    picture().avif({ effort: 2 }).toBuffer(),
  ]);
  return new Map(Object.entries({ jpeg, progressive, png, webp, lossless, gif, tiff, avif }));
}

/** Where each format keeps its width, and how wide the field is; found in the seed. */
function sizeField(seed: string, bytes: Buffer): { at: number; length: number; isLittle: boolean } {
  if (seed === 'png') return { at: 16, length: 4, isLittle: false };
  if (seed === 'gif') return { at: 6, length: 2, isLittle: true };
  if (seed === 'avif') return { at: bytes.indexOf('ispe') + 8, length: 4, isLittle: false };
  if (seed === 'webp') return { at: 26, length: 1, isLittle: true };
  if (seed === 'lossless') return { at: 21, length: 1, isLittle: true };
  if (seed === 'tiff') {
    const entry = bytes.indexOf(Buffer.of(0, 1), bytes.readUInt32LE(4));
    return { at: entry + 8, length: 2, isLittle: true };
  }
  const frame = Math.max(bytes.indexOf(Buffer.of(0xff, 0xc0)), bytes.indexOf(Buffer.of(0xff, 0xc2)));
  return { at: frame + 7, length: 2, isLittle: false };
}

const magics = ['\xff\xd8\xff', '\x89PNG', 'GIF89a', 'II*\0', 'RIFF', '%PDF', '\0\0\0\0', 'BM', '8BPS'];

/** `count` mutants of the seeds, the same ones at each call. */
export function makeMutants(seeds: Map<string, Buffer>, count: number): Mutant[] {
  let state = 20_261_127;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const changes: Mutant['change'][] = [
    'cut',
    'bits',
    'header',
    'stretch',
    'deleted',
    'inserted',
    'other magic',
    'size',
  ];
  return Array.from({ length: count }, (_, i) => {
    const seed = seedNames[i % seedNames.length]!;
    const change = changes[Math.floor(i / seedNames.length) % changes.length]!;
    return { seed, change, bytes: mutate(seeds.get(seed)!, seed, change, below) };
  });
}

function mutate(
  whole: Buffer,
  seed: string,
  change: Mutant['change'],
  below: (limit: number) => number,
): Buffer {
  const bytes = Buffer.from(whole);
  const at = below(bytes.length);
  const length = 1 + below(40);
  if (change === 'cut') return bytes.subarray(0, at);
  if (change === 'deleted') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  if (change === 'inserted') {
    const stuff = Buffer.from(Array.from({ length }, () => below(256)));
    return Buffer.concat([bytes.subarray(0, at), stuff, bytes.subarray(at)]);
  }
  if (change === 'bits') for (let i = 0; i <= below(8); i++) bytes[below(bytes.length)]! ^= 1 << below(8);
  if (change === 'header') bytes[below(Math.min(96, bytes.length))] = below(256);
  if (change === 'stretch') bytes.subarray(at, at + length).fill(below(256));
  if (change === 'other magic') bytes.write(magics[below(magics.length)]!, 0, 'latin1');
  if (change === 'size') {
    const { at: field, length: width, isLittle } = sizeField(seed, bytes);
    for (let i = 0; i < width; i++) bytes[field + i] = below(256);
    if (width === 4) bytes[isLittle ? field + 3 : field] = below(2);
  }
  return bytes;
}
