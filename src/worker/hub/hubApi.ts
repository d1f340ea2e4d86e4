import { listFiles, modelInfo } from '@huggingface/hub';
import { ClipfleetError } from '../../shared/errors.ts';
import { isCommit } from './hubCache.ts';
import { bodyOf, type HubFile, rangeStart } from './hubDownload.ts';
import { type Hub, type HubAccess, reasonOf, unavailable, withHub } from './hubRequest.ts';

const listedFilesMax = 20_000;
const rangeBytesMax = 128 * 2 ** 20;

/**
 * Bytes `start` to `endInclusive` of a file, fewer where the file ends before. Nothing is cached.
 *
 * Throws MODEL_NOT_FOUND, HUB_FORBIDDEN, HUB_UNAVAILABLE, USAGE, the signal's reason, and MODEL_INVALID when the file has none of these bytes.
 */
export async function hubFileRange(
  name: string,
  commit: string,
  file: string,
  start: number,
  endInclusive: number,
  access: HubAccess,
): Promise<Uint8Array> {
  checkModelName(name);
  checkRevision(commit);
  const bytes = endInclusive - start + 1;
  if (!(start >= 0 && bytes > 0 && bytes <= rangeBytesMax)) {
    throw new ClipfleetError(
      'INTERNAL',
      `Expected 1 to ${rangeBytesMax} bytes, not ${start} to ${endInclusive}.`,
    );
  }
  return withHub(access, (hub) => readRange(hub, access, fileUrl(access, name, commit, file), start, bytes));
}

async function readRange(
  hub: Hub,
  access: HubAccess,
  url: string,
  start: number,
  bytes: number,
): Promise<Uint8Array> {
  const end = start + bytes;
  const response = await hub.get(url, { range: `bytes=${start}-${end - 1}` });
  let at = response.status === 200 ? 0 : (rangeStart(response) ?? end);
  const pieces: Uint8Array[] = [];
  if (at <= start) {
    for await (const piece of bodyOf(response, access)) {
      pieces.push(piece.subarray(Math.max(start - at, 0), Math.max(end - at, 0)));
      at += piece.byteLength;
      if (at >= end) break;
    }
  }
  const read = Buffer.concat(pieces);
  if (read.byteLength === 0) {
    throw new ClipfleetError(
      'MODEL_INVALID',
      `${url} should have bytes ${start} to ${end - 1} and has none.`,
    );
  }
  return new Uint8Array(read);
}

/** The commit that a branch or tag has now. */
export async function resolveRevision(
  hub: Hub,
  access: HubAccess,
  name: string,
  revision: string,
): Promise<string> {
  return answerOf(access, async () => {
    const { sha } = await modelInfo({
      name,
      revision,
      additionalFields: ['sha'],
      hubUrl: access.endpoint,
      fetch: fetchOf(hub),
    });
    if (!isCommit(sha)) throw new Error(`expected a commit of 40 hexadecimal digits, not "${sha}"`);
    return sha;
  });
}

/** All files of a repository at a commit. */
export async function listFilesOf(
  hub: Hub,
  access: HubAccess,
  name: string,
  commit: string,
): Promise<HubFile[]> {
  return answerOf(access, async () => {
    const files: HubFile[] = [];
    const entries = listFiles({
      repo: name,
      recursive: true,
      revision: commit,
      hubUrl: access.endpoint,
      fetch: fetchOf(hub),
    });
    for await (const { type, path, size, oid, lfs } of entries) {
      if (type !== 'file') continue;
      const etag = lfs?.oid ?? oid ?? '';
      // The etag becomes a file's name.
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) throw new Error(`${path} has the hash "${etag}"`);
      files.push({ path, bytes: lfs?.size ?? size, etag });
      if (files.length > listedFilesMax) throw new Error(`${name} has more than ${listedFilesMax} files`);
    }
    return files;
  });
}

export function fileUrl(access: HubAccess, name: string, commit: string, path: string): string {
  return `${access.endpoint}/${name}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** The rules of Python's `validate_repo_id`; a name becomes a part of a folder's name. */
export function checkModelName(name: string): void {
  const ok =
    /^[\w.-]+\/[\w.-]+$/.test(name) && name.length <= 192 && !/--|\.\.|\/[.-]|^[.-]|\.git$/.test(name);
  if (ok) return;
  throw new ClipfleetError(
    'MODEL_NOT_FOUND',
    `"${name}" is no model of the Hub: expected owner/repo such as Xenova/clip-vit-base-patch32, or a directory.`,
  );
}

/** What git allows in a name, as far as it can be a path below `refs/`. */
export function checkRevision(revision: string): void {
  if (/^[\w.-][\w./+@-]{0,199}$/.test(revision) && !/\.\.|\/\/|\/$|(^|\/)\.+(\/|$)/.test(revision)) return;
  throw new ClipfleetError(
    'MODEL_NOT_FOUND',
    `"${revision}" is no revision: expected a branch, tag or commit.`,
  );
}

/**
 * `@huggingface/hub` asks through our requests: it would refuse tokens of mirrors, which do not begin with `hf_`,
 * send a token wherever a next page lies, and wait forever. Errors come out of it as we threw them.
 */
function fetchOf(hub: Hub): typeof fetch {
  const get = (url: string, init?: { headers?: Record<string, string> }) => hub.get(url, init?.headers);
  // undici's own Response, where the library expects the global one; they are the same class in two versions.
  return get as unknown as typeof fetch;
}

async function answerOf<T>(access: HubAccess, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    access.signal?.throwIfAborted();
    if (error instanceof ClipfleetError) throw error;
    throw unavailable(access, `its answer cannot be understood: ${reasonOf(error)}`, error);
  }
}
