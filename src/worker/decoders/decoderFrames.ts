/**
 * The frames on a decoder's pipes: length of the head and length of the body, 32 bits each, little-endian; the head as
 * JSON; the body. Pixels and file bytes are bodies, so that they are never text.
 */
const LENGTHS_BYTES = 8;
/** A uri is the longest thing in a head. */
const HEAD_BYTES_MAX = 1024 * 1024;

/** A frame in the parts to write, in their order. */
export function encodeFrame(head: object, body: Uint8Array = new Uint8Array()): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
  lengths.writeUInt32LE(json.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  const start = Buffer.concat([lengths, json]);
  return body.length > 0 ? [start, body] : [start];
}

/**
 * Puts frames together from what a pipe gives, whatever the pieces.
 *
 * @param bodyBytesMax a longer body breaks the protocol
 * @param onFrame told of each frame; the body is memory of its own
 * @returns takes the next piece; throws Error where it is of no frame, which a decoder under attack may send
 */
export function createFrameReader<Head>(
  bodyBytesMax: number,
  onFrame: (head: Head, body: Uint8Array<ArrayBuffer>) => void,
): (piece: Uint8Array) => void {
  let part: 'lengths' | 'head' | 'body' = 'lengths';
  let filling = new Uint8Array(LENGTHS_BYTES);
  let filled = 0;
  let bodyBytes = 0;
  let head: Head;

  function expect(next: typeof part, length: number): void {
    part = next;
    filling = new Uint8Array(length);
    filled = 0;
  }

  function finishPart(): void {
    const whole = filling;
    if (part === 'lengths') {
      const view = new DataView(whole.buffer);
      const headBytes = view.getUint32(0, true);
      bodyBytes = view.getUint32(4, true);
      if (headBytes > HEAD_BYTES_MAX || bodyBytes > bodyBytesMax) {
        throw new Error(
          `Expected a frame of at most ${bodyBytesMax} bytes, got ${headBytes} and ${bodyBytes}.`,
        );
      }
      expect('head', headBytes);
    } else if (part === 'head') {
      head = JSON.parse(Buffer.from(whole.buffer).toString()) as Head;
      expect('body', bodyBytes);
    } else {
      expect('lengths', LENGTHS_BYTES);
      onFrame(head, whole);
    }
  }

  return (piece) => {
    let at = 0;
    do {
      const taken = Math.min(filling.length - filled, piece.length - at);
      filling.set(piece.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      // A part of no bytes is whole at once, also at the end of a piece.
      while (filled === filling.length) finishPart();
    } while (at < piece.length);
  };
}
