/**
 * A valid progressive JPEG, grey, `side` pixels square, of one scan of DC and `scans - 1` of AC coefficients that are all zero:
 * few bytes a scan, and yet its decoder goes over the whole image each time. Segments and codes as in ITU-T T.81.
 */
export function jpegOfScans(side: number, scans: number): Buffer {
  const blocks = Math.ceil(side / 8) ** 2;
  const sides = [side >> 8, side & 255];
  const head = [
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, [0, ...Array(64).fill(1)]),
    segment(0xc2, [8, ...sides, ...sides, 1, 1, 0x11, 0]),
    // One code of one bit in each table: DC difference 0, and an end-of-band run of 2^14 blocks and more.
    segment(0xc4, [0x00, 1, ...Array(15).fill(0), 0x00]),
    segment(0xc4, [0x10, 1, ...Array(15).fill(0), 0xe0]),
  ];
  const dc = Buffer.concat([segment(0xda, [1, 1, 0, 0, 0, 0]), packBits('0'.repeat(blocks))]);
  const ac = Buffer.concat([segment(0xda, [1, 1, 0, 1, 63, 0]), packBits(endOfBandRuns(blocks))]);
  return Buffer.concat([...head, dc, ...Array(scans - 1).fill(ac), Buffer.from([0xff, 0xd9])]);
}

/** A run may go past the last block. */
function endOfBandRuns(blocks: number): string {
  let bits = '';
  for (let left = blocks; left > 0; ) {
    const run = Math.max(2 ** 14, Math.min(left, 2 ** 15 - 1));
    bits += `0${(run - 2 ** 14).toString(2).padStart(14, '0')}`;
    left -= run;
  }
  return bits;
}

/** Filled up with ones, a zero after each byte of ones. */
function packBits(bits: string): Buffer {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  const bytes = (padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  return Buffer.from(bytes.flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte])));
}

function segment(marker: number, body: number[]): Buffer {
  const length = body.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 255, ...body]);
}
