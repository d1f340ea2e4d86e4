import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { listFolder } from '../layout/listFolder.ts';
import { findLayout, largeFilesOf, type ModelLayout, smallFilesOf } from '../layout/modelLayout.ts';
import { type Dtype, dtypeSuffix } from '../onnx/dtype.ts';
import { checkModelName, checkRevision, listFilesOf, resolveRevision } from './hubApi.ts';
import { isCommit, type RepositoryCache, readRef, repositoryCache, writeRef } from './hubCache.ts';
import { bringFiles, type DownloadListeners } from './hubFiles.ts';
import { type Hub, type HubAccess, withHub } from './hubRequest.ts';

export interface HubOptions extends HubAccess, DownloadListeners {
  /** A branch, a tag or a commit. */
  revision: string;
  dtype: Dtype;
  /** The folder that Python calls HF_HUB_CACHE. */
  cacheDir: string;
}

export interface HubModel {
  /** The snapshot's folder, with the repository's files under their own names. */
  dir: string;
  commit: string;
  name: string;
  /** The Hub did not answer: the revision may have moved on since it was cached. */
  stale: boolean;
}

/**
 * Brings a model from the Hub into the cache and says where it is. What the cache has is not downloaded again, a
 * commit that it has is not even asked for, and when the Hub cannot be reached the cached revision is taken.
 *
 * @param name `owner/repo`.
 *
 * Throws MODEL_NOT_FOUND (name, revision or dtype), MODEL_UNSUPPORTED (no checkpoint and no graphs), MODEL_INVALID, HUB_FORBIDDEN,
 * HUB_UNAVAILABLE, HUB_CORRUPT, CACHE_UNWRITABLE, USAGE (the endpoint), or the signal's reason.
 */
export async function downloadModel(name: string, options: HubOptions): Promise<HubModel> {
  checkModelName(name);
  checkRevision(options.revision);
  const cache = repositoryCache(options.cacheDir, name);
  if (options.offline) return (await cachedModel(cache, name, options)).model;
  if (isCommit(options.revision)) {
    const cached = await cachedModel(cache, name, options).catch(() => undefined);
    // A joint graph or a checkpoint alone may be what somebody else chose to download: then the Hub is asked for the pair.
    if (cached?.layout.graphs && 'vision' in cached.layout.graphs) return cached.model;
  }
  try {
    return await withHub(options, (hub) => fetchModel(hub, cache, name, options));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof ClipfleetError) || error.code !== 'HUB_UNAVAILABLE') throw error;
    const cached = await cachedModel(cache, name, options).catch(() => undefined);
    if (cached === undefined) throw error;
    return { ...cached.model, stale: !isCommit(options.revision) };
  }
}

/**
 * Brings a model's joint graph into the cache, beside its towers, and says where it is; undefined where there is none, or
 * none in the cache and the Hub is not to be asked.
 *
 * @param options with a commit as revision
 */
export async function downloadJointGraph(name: string, options: HubOptions): Promise<string | undefined> {
  const { revision: commit, dtype, cacheDir, offline } = options;
  if (offline) return undefined;
  const cache = repositoryCache(cacheDir, name);
  return withHub(options, async (hub) => {
    const listed = new Map((await listFilesOf(hub, options, name, commit)).map((file) => [file.path, file]));
    const graph = [`onnx/model${dtypeSuffix[dtype]}.onnx`, 'onnx/model.onnx'].find((path) =>
      listed.has(path),
    );
    if (graph === undefined) return undefined;
    await bringFiles({ hub, cache, name, commit, listed, options }, [graph]);
    return join(cache.snapshot(commit), graph);
  });
}

/**
 * The commit that a revision of a model stands for: the Hub's word, or the cache's where the Hub is not to be asked or
 * does not answer.
 *
 * Throws MODEL_NOT_FOUND, HUB_FORBIDDEN, HUB_UNAVAILABLE, USAGE (the endpoint), or the signal's reason.
 */
export async function hubCommit(name: string, options: HubOptions): Promise<string> {
  const { revision, offline, cacheDir } = options;
  checkModelName(name);
  checkRevision(revision);
  if (isCommit(revision)) return revision;
  const cached = await readRef(repositoryCache(cacheDir, name), revision);
  if (offline && cached) return cached;
  try {
    return await withHub(options, (hub) => resolveRevision(hub, options, name, revision));
  } catch (error) {
    if (cached && error instanceof ClipfleetError && error.code === 'HUB_UNAVAILABLE') return cached;
    throw error;
  }
}

/**
 * Asks the Hub once, and for nothing.
 *
 * Throws HUB_UNAVAILABLE, HUB_FORBIDDEN where the token is refused, USAGE (the endpoint), or the signal's reason.
 */
export async function askHub(access: HubAccess): Promise<void> {
  const once = { ...access, limits: { ...access.limits, triesMax: 1 } };
  const path = access.token === undefined ? '/api/models?limit=1' : '/api/whoami-v2';
  await withHub(once, async (hub) => (await hub.get(`${access.endpoint}${path}`)).body?.cancel());
}

async function fetchModel(
  hub: Hub,
  cache: RepositoryCache,
  name: string,
  options: HubOptions,
): Promise<HubModel> {
  const { revision, dtype, cacheDir } = options;
  const commit = isCommit(revision) ? revision : await resolveRevision(hub, options, name, revision);
  const listed = new Map((await listFilesOf(hub, options, name, commit)).map((file) => [file.path, file]));
  const layout = findLayout([...listed.keys()], dtype, `${name} on the Hub`);
  try {
    const snapshot = { hub, cache, name, commit, listed, options };
    await bringFiles(snapshot, [...smallFilesOf(layout), ...largeFilesOf(layout)]);
    // A revision points to a commit only once that is whole, so that without the Hub the older one is found.
    await writeRef(cache, revision, commit);
  } catch (error) {
    throw asUnwritable(error, cacheDir);
  }
  return { dir: cache.snapshot(commit), commit, name, stale: false };
}

/** What the cache alone has. Throws MODEL_NOT_FOUND in words for somebody who is offline. */
async function cachedModel(
  cache: RepositoryCache,
  name: string,
  { revision, dtype, cacheDir }: HubOptions,
): Promise<{ model: HubModel; layout: ModelLayout }> {
  const commit = await readRef(cache, revision);
  const dir = commit === undefined ? undefined : cache.snapshot(commit);
  const listed = dir === undefined ? [] : await listFolder(dir);
  const remedy =
    'Offline mode (HF_HUB_OFFLINE) is on, so nothing is downloaded: unset it once, copy the cache from a machine ' +
    'that has the model, or use `--model models/demo` (the bundled model) or a local directory.';
  if (commit === undefined || dir === undefined || listed.length === 0) {
    const message = `${name} at revision ${revision} is not in the cache ${cacheDir}. ${remedy}`;
    throw new ClipfleetError('MODEL_NOT_FOUND', message);
  }
  try {
    const layout = findLayout(listed, dtype, `${name} in the cache ${cacheDir}`);
    return { model: { dir, commit, name, stale: false }, layout };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ClipfleetError('MODEL_NOT_FOUND', `${message} ${remedy}`, { cause: error });
  }
}

/** What a disk says to somebody who may not, or can no longer, write. */
function asUnwritable(error: unknown, cacheDir: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (!['EACCES', 'EDQUOT', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS'].includes(code)) return error;
  return new ClipfleetError(
    'CACHE_UNWRITABLE',
    `The model cache ${cacheDir} cannot be written (${(error as Error).message}). Free space, or set HF_HUB_CACHE ` +
      'or HF_HOME to a folder that can be.',
    { cause: error },
  );
}
