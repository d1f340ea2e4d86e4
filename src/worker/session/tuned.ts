import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../shared/files/replaceFile.ts';

/** What a worker's speed depends on, and what `clipfleet tune` measures. */
export interface Settings {
  /** Most images that go through the session together. */
  batchSize: number;
  /** Threads of the session on the CPU. */
  threads: number;
  /** Processes that decode, one image at a time each. */
  decoders: number;
}

/** What settings were measured for; others need not be the best. */
export interface TunedFor {
  fingerprint: string;
  device: string;
  cores: number;
}

const tunedSchema = z.object({
  version: z.literal(2),
  fingerprint: z.string(),
  device: z.string(),
  cores: z.int().positive(),
  settings: z.object({
    batchSize: z.int().min(1).max(1_024),
    threads: z.int().min(1).max(1_024),
    decoders: z.int().min(1).max(1_024),
  }),
  /** Decode and session together. */
  imagesPerSecond: z.number(),
  at: z.string(),
});

/** One file for a model, a kind of device (the cards of a machine are taken to be alike) and a number of cores. */
function pathOf(cacheDir: string, { fingerprint, device, cores }: TunedFor): string {
  return join(cacheDir, 'tuned', `${fingerprint.slice(0, 16)}-${kindOf(device)}-${cores}.json`);
}

/** What tune saved, or undefined; a file that says something else is named in a warning and ignored. */
export async function readTuned(
  cacheDir: string,
  wanted: TunedFor,
  onWarning?: (warning: string) => void,
): Promise<Settings | undefined> {
  const path = pathOf(cacheDir, wanted);
  try {
    const { settings, ...found } = tunedSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    const isFor = (of: TunedFor) => `${of.fingerprint} ${kindOf(of.device)} ${of.cores}`;
    if (isFor(found) === isFor(wanted)) return settings;
    onWarning?.(`${path} is ignored: it is for another model, device or number of cores.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    onWarning?.(`${path} is ignored: ${reason}`);
  }
  return undefined;
}

/** Keeps what was measured for the next start; resolves to the file's path. */
export async function saveTuned(
  cacheDir: string,
  tunedFor: TunedFor,
  settings: Settings,
  imagesPerSecond: number,
): Promise<string> {
  const path = pathOf(cacheDir, tunedFor);
  const about = { ...tunedFor, device: kindOf(tunedFor.device), settings, imagesPerSecond };
  const text = `${JSON.stringify({ version: 2, ...about, at: new Date().toISOString() }, null, 2)}\n`;
  // A worker that starts meanwhile reads the old file or the new one, whole.
  await replaceFile(path, (part) => writeFile(part, text));
  return path;
}

function kindOf(device: string): string {
  return device.split(':')[0]!;
}
