/**
 * Writes our pixels of image files, for compare_reference.py and compare_whole.py to hold against Pillow's.
 *
 *     node dist/test/golden/dump-pixels.js OUT_DIR PREPROCESSOR_CONFIG.json|whole FILE...
 *
 * FILE number i becomes OUT_DIR/i.u8 (height x width x RGB), `whole` before anything is resized; one line of JSON a file
 * says its size, or which code it failed with.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../src/shared/errors.ts';
import { decodeImage, decodeWhole } from '../../src/worker/decode/decode.ts';
import { parsePreprocessing } from '../../src/worker/resize/preprocessing.ts';

const [folder, configPath, ...files] = process.argv.slice(2);
if (folder === undefined || configPath === undefined) {
  throw new Error('Expected OUT_DIR PREPROCESSOR_CONFIG.json|whole FILE...');
}
const limits = { pixelsMax: 100e6, timeoutMs: 20_000 };
const decode = configPath === 'whole' ? decodeWhole : await decoderTo(configPath);

async function decoderTo(path: string) {
  const preprocessing = parsePreprocessing(JSON.parse(await readFile(path, 'utf8')));
  return (bytes: Uint8Array) => decodeImage(bytes, preprocessing, limits);
}

for (const [index, file] of files.entries()) {
  try {
    const { data, width, height } = await decode(await readFile(file), limits);
    await writeFile(join(folder, `${index}.u8`), data);
    console.log(JSON.stringify({ file, width, height }));
  } catch (error) {
    if (!(error instanceof ClipfleetError)) throw error;
    console.log(JSON.stringify({ file, code: error.code, message: error.message }));
  }
}
