import { crc32 } from 'node:zlib';

/**
 * The rows of a run spread over this many hashes, each with a hash tag of its own, so that one large run uses several
 * nodes of a cluster and no single hash grows with the whole run. More would make the calls that store a chunk's rows
 * smaller and more. Part of the wire format: readers walk all of them.
 */
export const ROW_BUCKETS = 4;

/** Part of the wire format: the CRC-32 of the id's UTF-8, modulo ROW_BUCKETS. SHA-256 spreads no better and takes longer. */
export function bucketOf(id: string): number {
  return crc32(id) % ROW_BUCKETS;
}
