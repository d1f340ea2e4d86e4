import { join, posix } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { namedAfterGraph } from '../layout/externalData.ts';
import { weightLocationsOf } from '../onnx/graphOverFile.ts';
import { fileUrl } from './hubApi.ts';
import { fileBytes, linkBlob, type RepositoryCache } from './hubCache.ts';
import { downloadBlob, type HubFile } from './hubDownload.ts';
import type { Hub, HubAccess } from './hubRequest.ts';

export interface DownloadListeners {
  /** Called before files that the cache lacks are downloaded. */
  onDownload?: (plan: { files: number; bytes: number }) => void;
  /** Called for each piece of a file that is downloaded; never for a file that the cache has. */
  onProgress?: (progress: { file: string; receivedBytes: number; totalBytes: number }) => void;
}

/** A repository at a commit, as the Hub lists it, and the cache that its files go into. */
export interface RemoteSnapshot {
  hub: Hub;
  cache: RepositoryCache;
  /** `owner/repo` */
  name: string;
  commit: string;
  listed: ReadonlyMap<string, HubFile>;
  options: HubAccess & DownloadListeners;
}

/**
 * Brings files into the cache, in their order. A graph comes after the files that its weights lie in, so that a snapshot that has its
 * graphs is complete, even when a download was broken off.
 *
 * @throws what `downloadBlob` throws, MODEL_INVALID where a graph names weights that the repository lacks
 */
export async function bringFiles(snapshot: RemoteSnapshot, paths: readonly string[]): Promise<void> {
  const all = [...snapshot.listed.keys()];
  const isGraph = (path: string) => path.endsWith('.onnx');
  const named = paths.filter(isGraph).flatMap((path) => namedAfterGraph(all, path));
  await announce(snapshot, [...paths, ...named]);
  for (const path of [...paths.filter((path) => !isGraph(path)), ...named]) await bringFile(snapshot, path);
  for (const path of paths.filter(isGraph)) await bringGraph(snapshot, path);
}

async function bringGraph(snapshot: RemoteSnapshot, path: string): Promise<void> {
  const { cache, commit, listed, name } = snapshot;
  if ((await fileBytes(join(cache.snapshot(commit), path))) !== listed.get(path)!.bytes) {
    await bringBlob(snapshot, path);
  }
  // What is no graph is refused by who reads it, in words that name the file.
  const locations = await weightLocationsOf(cache.blob(listed.get(path)!.etag)).catch(() => []);
  const weights = locations.map((location) => posix.join(posix.dirname(path), location));
  const missing = weights.find((file) => !listed.has(file));
  if (missing !== undefined) {
    throw new ClipfleetError(
      'MODEL_INVALID',
      `${path} of ${name} on the Hub has its weights in ${missing}, which the repository lacks.`,
    );
  }
  await announce(snapshot, weights);
  for (const file of weights) await bringFile(snapshot, file);
  await bringFile(snapshot, path);
}

async function announce({ cache, commit, listed, options }: RemoteSnapshot, paths: string[]): Promise<void> {
  let [files, bytes] = [0, 0];
  for (const path of new Set(paths)) {
    const file = listed.get(path)!;
    const places = [join(cache.snapshot(commit), path), cache.blob(file.etag)];
    const there = await Promise.all(places.map(fileBytes));
    if (there.includes(file.bytes)) continue;
    files++;
    bytes += file.bytes;
  }
  if (files > 0) options.onDownload?.({ files, bytes });
}

async function bringFile(snapshot: RemoteSnapshot, path: string): Promise<void> {
  const { cache, commit, listed } = snapshot;
  const { bytes, etag } = listed.get(path)!;
  if ((await fileBytes(join(cache.snapshot(commit), path))) === bytes) return;
  await bringBlob(snapshot, path);
  await linkBlob(cache, commit, path, etag);
}

async function bringBlob(
  { hub, cache, name, commit, listed, options }: RemoteSnapshot,
  path: string,
): Promise<void> {
  const file = listed.get(path)!;
  if ((await fileBytes(cache.blob(file.etag))) === file.bytes) return;
  const onReceived = (receivedBytes: number) =>
    options.onProgress?.({ file: path, receivedBytes, totalBytes: file.bytes });
  const url = fileUrl(options, name, commit, path);
  await downloadBlob({ access: options, hub, cache, url, file, onReceived });
}
