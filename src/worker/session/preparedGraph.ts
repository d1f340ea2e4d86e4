import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PART_ENDING, replaceFile } from '../../shared/replaceFile.ts';
import type { Preprocessing } from '../decode/preprocessing.ts';
import { type Field, fieldsOf, graphField, modelField, tensorField, textField } from '../onnx/onnxProto.ts';
import { PREFIX_VERSION, withPixelPrefix } from './pixelPrefix.ts';

export interface PreparedGraphOptions {
  /** SHA-256 of the graph's file and of the files with its weights, by path. */
  hashes: Readonly<Record<string, string>>;
  preprocessing: Preprocessing;
  cacheDir: string;
}

/** A folder that a process left half written is removed after this time: none takes as long. */
const PART_KEPT_MS = 24 * 3_600_000;

/**
 * The path of a graph that takes the decoder's bytes, made once and kept in the cache under a hash of all it is made from.
 * Undefined where the graph has no pixels to take.
 *
 * It is written into a folder of another name, which gets its own when all is there: a crash leaves nothing that looks whole,
 * and of several processes the first to end wins.
 *
 * @throws what reading and writing throw; RangeError where the graph is none, or its weights are in files unknown
 */
export async function prepareGraph(path: string, options: PreparedGraphOptions): Promise<string | undefined> {
  const graphs = join(options.cacheDir, 'graphs');
  const folder = join(graphs, keyOf(path, options));
  const prepared = join(folder, basename(path));
  if (existsSync(prepared)) return prepared;

  const model = await readFile(path);
  const pieces = withPixelPrefix(model, options.preprocessing);
  if (!pieces) return undefined;
  const weights = weightsOf(model).map((name) => join(dirname(path), name));
  const unknown = weights.find((file) => options.hashes[file] === undefined);
  if (unknown) throw new RangeError(`the weights in ${unknown} are not named after the graph`);

  try {
    await replaceFile(folder, async (part) => {
      await mkdir(part);
      await removeOldParts(graphs);
      await writePieces(join(part, basename(path)), pieces);
      for (const file of weights) await linkOrCopy(file, join(part, basename(file)));
    });
  } catch (error) {
    if (!existsSync(prepared)) throw error;
  }
  return prepared;
}

function keyOf(path: string, { hashes, preprocessing }: PreparedGraphOptions): string {
  const { width, height, rescaleFactor, normalize } = preprocessing;
  const files = Object.entries(hashes).filter(([file]) => file.startsWith(path));
  const named = files.map(([file, hash]) => [basename(file), hash]);
  const made = [PREFIX_VERSION, width, height, rescaleFactor, normalize, named];
  return createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 32);
}

/** Names of the files that hold weights of the graph, relative to its folder. */
function weightsOf(model: Uint8Array): string[] {
  const inside = (message: Uint8Array, number: number): Field[] =>
    [...fieldsOf(message)].filter((field) => field.number === number);
  const names = inside(model, modelField.graph)
    .flatMap(({ value }) => inside(value, graphField.initializer))
    .flatMap(({ value }) => inside(value, tensorField.externalData))
    .filter(({ value }) => textField(value, 1) === 'location')
    .map(({ value }) => textField(value, 2)!);
  return [...new Set(names)];
}

/** Written through to the disk: a rename that outlives a power failure must not name a file that does not. */
async function writePieces(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** onnxruntime follows a link out of the graph's folder and refuses what it finds: the file itself must be there. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  const real = await realpath(from);
  await link(real, to).catch(() => copyFile(real, to, constants.COPYFILE_FICLONE));
}

async function removeOldParts(graphs: string): Promise<void> {
  for (const name of await readdir(graphs)) {
    if (!name.endsWith(PART_ENDING)) continue;
    const path = join(graphs, name);
    const written = await stat(path).catch(() => undefined);
    if (written && Date.now() - written.mtimeMs > PART_KEPT_MS)
      await rm(path, { recursive: true, force: true });
  }
}
