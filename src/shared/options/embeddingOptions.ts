import { integer, option, text } from './option.ts';

/** Embeddings of files that were seen before. */
export const embeddingOptions = {
  embeddingCache: option({
    flag: 'embedding-cache',
    env: 'CLIPFLEET_EMBEDDING_CACHE',
    value: 'N',
    schema: integer(0, 100_000_000),
    default: '0',
    says: 'Embeddings a worker caches by file content, 2 to 4 kB each, so that identical files are embedded once.',
  }),
  embeddingCacheDir: option({
    flag: 'embedding-cache-dir',
    env: 'CLIPFLEET_EMBEDDING_CACHE_DIR',
    value: 'DIR',
    schema: text.optional(),
    defaultSays: 'none',
    says: 'Folder for embeddings by file content: a file that this model has seen is not decoded again, also by another worker of the machine.',
  }),
  embeddingCacheDirBytes: option({
    flag: 'embedding-cache-dir-bytes',
    env: 'CLIPFLEET_EMBEDDING_CACHE_DIR_BYTES',
    value: 'BYTES',
    schema: integer(16 * 1024 * 1024, Number.MAX_SAFE_INTEGER),
    default: String(1024 * 1024 * 1024),
    says: 'Disk that those embeddings take, about 4 kB each; those used least recently go.',
  }),
} as const;
