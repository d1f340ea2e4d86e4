import { randomUUID } from 'node:crypto';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../shared/options/config.ts';
import { packaged } from '../../shared/packageRoot.ts';
import { findProgram } from '../../shared/redis/redisBinary.ts';
import { heicReader } from '../../worker/decode/heicImage.ts';
import { openDecoders, pixelsOf } from '../../worker/decoders/decoders.ts';
import { imageFormats } from '../../worker/formats/imageFormat.ts';
import { bundledModel } from '../../worker/model/loadModel.ts';
import { readModelFiles } from '../../worker/model/model.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** One example picture of each format that there is one of. */
const samples = ['fox.jpg', 'bear.png', 'cat.webp'];

/** Which formats are read, and whether a decoder starts and does so. */
export async function decodeFindings({ decodeMemoryMax }: Config<'decodeMemoryMax'>): Promise<Finding[]> {
  const reader = heicReader((name) => findProgram([name]));
  const formats = imageFormats.filter((format) => format !== 'HEIC' || reader !== undefined);
  const { preprocessing, decoding } = await readModelFiles({ dir: packaged(bundledModel) });
  const folder = packaged('examples/pictures');
  const bytesMax = 100_000_000;
  const decoders = openDecoders({
    ...{ preprocessing, decoding, decoders: 1, limits: { decodeMemoryMax } },
    files: { roots: new Map(), trustPaths: true, bytesMax },
  });
  const from = performance.now();
  try {
    for (const name of samples) pixelsOf(await decoders.decode({ file: { uri: join(folder, name) } }));
  } finally {
    await decoders.close();
  }
  const took = `${(performance.now() - from).toFixed(0)} ms`;
  return [
    reader === undefined
      ? ok(
          'formats',
          `${formats.join(', ')}. HEIC is not read: npm install heic-decode, or heif-convert on the PATH`,
        )
      : ok('formats', `${formats.join(', ')} (HEIC by ${reader})`),
    ok('decoder', `a process started and decoded ${samples.length} example pictures in ${took}`),
  ];
}

/** With less, a worker that reads from many hosts runs out of sockets and pipes. */
const OPEN_FILES_MIN = 1_024;

interface Wants {
  decoders: number;
  decodeMemoryMax: number;
}

/** What the system allows this user's processes. */
export function limitFindings({ decoders, decodeMemoryMax }: Wants): Finding[] {
  const limits = userLimits();
  const files = limits?.open_files?.soft;
  const memory = memoryLimit();
  const bound = decoders * decodeMemoryMax;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const says = `${gigabytes(memory)} for all processes; ${decoders} decoders may take up to ${gigabytes(bound)}`;
  return [
    ok('cores', `${availableParallelism()} for this process`),
    bound > memory
      ? warning(
          'memory',
          says,
          'Use fewer --decoders, or a smaller --decode-memory-max: else the system may kill a worker.',
        )
      : ok('memory', says),
    typeof files === 'number' && files < OPEN_FILES_MIN
      ? warning(
          'open files',
          `at most ${files}`,
          `Raise it to ${OPEN_FILES_MIN} or more: ulimit -n, LimitNOFILE of systemd.`,
        )
      : ok('open files', `at most ${files ?? 'an unknown number'}`),
  ];
}

type UserLimits = Record<string, { soft: number | 'unlimited'; hard: number | 'unlimited' }>;

/** Node says them in its diagnostic report alone; undefined on Windows. */
function userLimits(): UserLimits | undefined {
  if (!process.report) return undefined;
  const { report } = process;
  // The report would look up the names of all peers of open sockets.
  (report as { excludeNetwork?: boolean }).excludeNetwork = true;
  return (report.getReport() as unknown as { userLimits?: UserLimits }).userLimits;
}

/** That of a container or control group where there is one, else the machine's. */
function memoryLimit(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

/** From this on a folder has little room left. */
const ROOM_MIN = 1e9;

/** Whether a folder can be written to, by writing to it. */
export async function folderFinding(about: string, folder: string, remedy: string): Promise<Finding> {
  const file = join(folder, `.clipfleet-doctor-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, 'x');
    await rm(file);
    const { bavail, bsize } = await statfs(folder);
    const says = `${folder} can be written to, ${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
    return bavail * bsize < ROOM_MIN ? warning(about, says, remedy) : ok(about, says);
  } catch (error) {
    return fault(about, `${folder} cannot be written to: ${(error as Error).message}`, remedy);
  }
}

/** Where `heif-convert` and others put what they need for a moment. */
export const temporaryFolder = tmpdir;
