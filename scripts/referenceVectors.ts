// Writes models/demo/reference.json, what `clipfleet verify` compares with, from the goldens that Python made.
// Run after test/golden/make_goldens.py: `npm run build && node dist/scripts/referenceVectors.js`
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

interface Golden {
  versions: Record<string, string>;
  imageDir: string;
  dimensions: number;
  images: { file: string }[];
  labelSets: { name: string; labels: string[]; templates: string[]; textRow: number }[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const golden = JSON.parse(await readFile(`${root}test/golden/goldens/demo.json`, 'utf8')) as Golden;
const vectors = await readFile(`${root}test/golden/goldens/demo.f32`);
const { versions, imageDir, dimensions } = golden;

/** Row i as base64 of little-endian float32. */
const row = (i: number) => vectors.subarray(i * dimensions * 4, (i + 1) * dimensions * 4).toString('base64');

const set = golden.labelSets.find(({ name }) => name === 'pictures')!;
const reference = {
  madeBy: `transformers ${versions.transformers}, torch ${versions.torch}, Pillow ${versions.pillow}`,
  imageDir,
  images: golden.images.map(({ file }, i) => ({ file, embedding: row(i) })),
  texts: set.labels.map((label, i) => ({
    text: set.templates[0]!.replace('{}', () => label),
    embedding: row(set.textRow + i),
  })),
};
await writeFile(`${root}models/demo/reference.json`, `${JSON.stringify(reference, null, 1)}\n`);
