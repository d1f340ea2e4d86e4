import { availableParallelism } from 'node:os';
import { readFitting } from './fittingBatch.ts';
import { readTuned, type Settings } from './tuned.ts';

/** `fitting`: less than was given, tuned or the default, because an earlier process found no memory for that. */
export type SettingSource = 'given' | 'tuned' | 'default' | 'fitting';

export interface ResolvedSettings {
  settings: Settings;
  /** Where each comes from. */
  from: Record<keyof Settings, SettingSource>;
}

export interface ResolveOptions {
  /** What the user said; it wins. */
  given: { [name in keyof Settings]?: number | undefined };
  fingerprint: string;
  device: string;
  /** Folder with what tune has saved. */
  cacheDir: string;
  /** Cores this process has for itself; those of the machine when absent. */
  cores?: number;
  onWarning?: (warning: string) => void;
}

/** Each setting as given, else as tune found it for this model, device and number of cores, else the device's default. */
export async function resolveSettings(options: ResolveOptions): Promise<ResolvedSettings> {
  const { given, fingerprint, device, cacheDir, cores = availableParallelism(), onWarning } = options;
  const tuned = await readTuned(cacheDir, { fingerprint, device, cores }, onWarning);
  const defaults = defaultSettings(device, cores);
  const pick = (name: keyof Settings): [number, SettingSource] => {
    if (given[name] !== undefined) return [given[name], 'given'];
    return tuned ? [tuned[name], 'tuned'] : [defaults[name], 'default'];
  };
  const [asked, threads, decoders] = [pick('batchSize'), pick('threads'), pick('decoders')];
  const batchSize = await thatFits(asked, options);
  return {
    settings: { batchSize: batchSize[0], threads: threads[0], decoders: decoders[0] },
    from: { batchSize: batchSize[1], threads: threads[1], decoders: decoders[1] },
  };
}

/** At most what an earlier process found to fit into memory, which is said each time. */
async function thatFits(
  asked: [number, SettingSource],
  options: ResolveOptions,
): Promise<[number, SettingSource]> {
  const fitting = await readFitting(options);
  if (!fitting || fitting.images >= asked[0]) return asked;
  options.onWarning?.(
    `Batches are of ${fitting.images} images, not of ${asked[0]}: more did not fit into memory before. ` +
      `To try again, delete ${fitting.path}.`,
  );
  return [fitting.images, 'fitting'];
}

/**
 * On the processor a batch of 16 is as fast as any (docs/benchmarks.md). A GPU wants larger ones; 64 is a start that nobody has
 * measured, and tune finds a better one. A decoder has the next image in its pipe when it is done with one, so that one a
 * core keeps all of them busy.
 */
function defaultSettings(device: string, cores: number): Settings {
  return {
    batchSize: device === 'cpu' ? 16 : 64,
    threads: cores,
    decoders: cores,
  };
}

/** What one of several worker processes has of the machine's cores, at least 1. */
export function coresOfEach(processes: number): number {
  return Math.max(1, Math.floor(availableParallelism() / processes));
}
