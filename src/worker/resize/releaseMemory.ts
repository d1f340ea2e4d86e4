import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** `ArrayBuffer.prototype.transfer`, whose types come with a later library of TypeScript. */
type Transfer = (this: ArrayBufferLike, byteLength: number) => ArrayBuffer;

const transfer = findTransfer();

/**
 * Gives all memory behind the bytes back at once. Nobody may read them afterwards.
 *
 * Without it V8 looks for what nobody uses after every 64 MB of pixels, in all its heap: for photographs of a camera that costs as much
 * as resizing them.
 */
export function releaseMemory({ buffer }: Uint8Array): void {
  transfer.call(buffer, 0);
}

/** Node 20 has it behind a flag, which counts in contexts that are made after it. */
function findTransfer(): Transfer {
  const { transfer } = ArrayBuffer.prototype as { transfer?: Transfer };
  if (transfer) return transfer;
  setFlagsFromString('--harmony-rab-gsab-transfer');
  return runInNewContext('ArrayBuffer.prototype.transfer');
}
