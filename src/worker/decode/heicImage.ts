import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import type { RgbImage } from '../resize/resample.ts';
import { type HelperRoom, runHelper } from './helperProgram.ts';

/** `heic-decode`, whose pixels are RGBA and turned already. */
type HeicDecode = (of: { buffer: Uint8Array }) => Promise<RgbImage>;

/** What may decode HEIC here: none of it comes with this package, for its patents and licences. */
export interface HeicTools {
  heicDecode: HeicDecode | undefined;
  /** The program of libheif's tools. */
  heifConvert: string;
  /** Decodes the PNG that the program writes. */
  decodePng: (bytes: Uint8Array) => Promise<RgbImage>;
  /** Where the program works; a folder of its own when absent. */
  helper?: HelperRoom | undefined;
  timeoutMs: number;
}

const HEIF_CONVERT = 'heif-convert';
let found: { heicDecode: HeicDecode | undefined } | undefined;

/** The tools of this machine; `heic-decode` is loaded once, at the first HEIC. */
export function heicTools(given: Pick<HeicTools, 'decodePng' | 'helper' | 'timeoutMs'>): HeicTools {
  return { ...packageHere(), ...given, heifConvert: HEIF_CONVERT };
}

/** What reads HEIC on this machine, and undefined where nothing does. */
export function heicReader(findProgram: (name: string) => string | undefined): string | undefined {
  return packageHere().heicDecode ? 'heic-decode' : findProgram(HEIF_CONVERT);
}

function packageHere() {
  found ??= { heicDecode: requireIfThere('heic-decode') };
  return found;
}

/**
 * The primary image of a HEIC file as RGB, alpha dropped, turned as it says.
 *
 * @throws {ClipfleetError} IMAGE_UNSUPPORTED where neither tool is there; DECODE_TIMEOUT; READ_FAILED where the program's files find no room
 * @throws {HelperKilled} where the program died; what else the tools throw is the file's fault
 */
export async function decodeHeic(bytes: Uint8Array, tools: HeicTools): Promise<RgbImage> {
  const { heicDecode } = tools;
  if (heicDecode) return withoutAlpha(await quietly(() => heicDecode({ buffer: bytes })));
  const { folder, onRun } = tools.helper ?? ownRoom();
  try {
    await writeInto(folder, bytes);
    await convert({ folder, onRun }, tools);
    // The program numbers its output where a file holds several images.
    const [first] = (await readdir(folder)).filter((name) => name.endsWith('.png')).sort();
    if (first === undefined) throw new Error(`${tools.heifConvert} wrote no PNG`);
    return await tools.decodePng(await readFile(join(folder, first)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeInto(folder: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
    await writeFile(join(folder, 'in.heic'), bytes);
  } catch (cause) {
    const says = `Expected room for the files of ${HEIF_CONVERT} in ${folder}, got ${(cause as Error).message}; see to TMPDIR.`;
    throw new ClipfleetError('READ_FAILED', says, { cause });
  }
}

const ownRoom = (): HelperRoom => ({
  folder: join(tmpdir(), `clipfleet-heic-${randomUUID()}`),
  onRun: () => {},
});

async function convert(room: HelperRoom, { heifConvert, timeoutMs }: HeicTools): Promise<void> {
  const code = await runHelper(heifConvert, ['in.heic', 'out.png'], room, timeoutMs).catch((error) => {
    throw hasCode(error, 'ENOENT') ? noTool(error) : error;
  });
  if (code === 'timeout') {
    const says = `Expected pixels of a HEIC within ${timeoutMs} ms; shrink the image or raise --decode-timeout-ms.`;
    throw new ClipfleetError('DECODE_TIMEOUT', says);
  }
  if (code !== 0) throw new Error(`${heifConvert} ended with exit code ${code}`);
}

function noTool(cause: unknown): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_UNSUPPORTED',
    `Expected an image of another format than HEIC: \`npm install heic-decode\` or ${HEIF_CONVERT} on the PATH reads it; or convert it to JPEG.`,
    { cause },
  );
}

function withoutAlpha({ data: rgba, width, height }: RgbImage): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    data[to++] = rgba[from]!;
    data[to++] = rgba[from + 1]!;
    data[to++] = rgba[from + 2]!;
  }
  return { data, width, height };
}

/** The package, or undefined where it is not installed. */
function requireIfThere(name: string): HeicDecode | undefined {
  try {
    return createRequire(import.meta.url)(name);
  } catch (thrown) {
    if (hasCode(thrown, 'MODULE_NOT_FOUND')) return undefined;
    throw thrown;
  }
}

/** With a console that is silent for as long: the package prints a line about each bad file, and standard output belongs to others. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log, warn, error } = console;
  const silent = () => {};
  Object.assign(console, { log: silent, warn: silent, error: silent });
  try {
    return await work();
  } finally {
    Object.assign(console, { log, warn, error });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
