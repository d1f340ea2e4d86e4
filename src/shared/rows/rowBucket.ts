/**
 * The rows of a run spread over this many hashes, each with a hash tag of its own, so that one large run uses several
 * nodes of a cluster and no single hash grows with the whole run. More would make the calls that store a chunk's rows
 * smaller and more. Part of the wire format: readers walk all of them.
 */
export const ROW_BUCKETS = 4;

/** Part of the wire format: the CRC-32 of the id, modulo ROW_BUCKETS. SHA-256 spreads no better and takes 40 times as long. */
export function bucketOf(id: string): number {
  return crc32(id) % ROW_BUCKETS;
}

/** What is left of a byte after eight steps of division by the polynomial of zip and PNG. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** Of the text's UTF-8. Node 20.9 has none. */
function crc32(text: string): number {
  let rest = -1;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Other characters than ASCII have several bytes.
    if (unit > 0x7f) return crc32OfBytes(Buffer.from(text));
    rest = TABLE[(rest ^ unit) & 0xff]! ^ (rest >>> 8);
  }
  return ~rest >>> 0;
}

function crc32OfBytes(bytes: Buffer): number {
  let rest = -1;
  for (const byte of bytes) rest = TABLE[(rest ^ byte) & 0xff]! ^ (rest >>> 8);
  return ~rest >>> 0;
}
