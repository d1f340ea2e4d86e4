/**
 * Writes our pixels of image files, for compare_reference.py to hold against Pillow's.
 *
 *     node dist/test/golden/dump-pixels.js OUT_DIR PREPROCESSOR_CONFIG.json FILE...
 *
 * FILE number i becomes OUT_DIR/i.u8 (height x width x RGB); one line of JSON a file says which code it failed with.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../src/shared/errors.ts';
import { decodeImage } from '../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../src/worker/decode/preprocessing.ts';

const [folder, configPath, ...files] = process.argv.slice(2);
if (folder === undefined || configPath === undefined) {
  throw new Error('Expected OUT_DIR PREPROCESSOR_CONFIG.json FILE...');
}
const preprocessing = parsePreprocessing(JSON.parse(await readFile(configPath, 'utf8')));

for (const [index, file] of files.entries()) {
  const started = performance.now();
  try {
    const bytes = await readFile(file);
    const pixels = await decodeImage(bytes, preprocessing, {
      pixelsMax: 100e6,
      timeoutMs: 20_000,
    });
    await writeFile(join(folder, `${index}.u8`), pixels.data);
    console.log(JSON.stringify({ file, ms: Math.round(performance.now() - started) }));
  } catch (error) {
    if (!(error instanceof ClipfleetError)) throw error;
    console.log(JSON.stringify({ file, code: error.code, message: error.message }));
  }
}
