/** Writes numbers and texts one after the other into a buffer that grows. Numbers of fixed size are big-endian. */
export class RowWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  uint8(value: number): void {
    this.#room(1)[this.#length++] = value;
  }

  uint16(value: number): void {
    this.#length = this.#room(2).writeUInt16BE(value, this.#length);
  }

  uint32(value: number): void {
    this.#length = this.#room(4).writeUInt32BE(value, this.#length);
  }

  float32(value: number): void {
    this.#length = this.#room(4).writeFloatBE(value, this.#length);
  }

  /** LEB128: seven bits a byte, the lowest first; the highest bit says that more follow. */
  varint(value: number): void {
    let left = value;
    while (left >= 0x80) {
      this.uint8((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    this.uint8(left);
  }

  /** Its length in bytes of UTF-8 plus `more`, then itself. */
  text(value: string, more = 0): void {
    const length = Buffer.byteLength(value);
    this.varint(length + more);
    this.#length += this.#room(length).write(value, this.#length);
  }

  /** Forgets what was written, and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #room(length: number): Buffer {
    const needed = this.#length + length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * needed);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** Reads what RowWriter wrote. Throws RangeError where the bytes end too early. */
export class RowReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#next(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#next(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#next(4));
  }

  float32(): number {
    return this.#bytes.readFloatBE(this.#next(4));
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.uint8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  text(length = this.varint()): string {
    const from = this.#next(length);
    if (this.#at > this.#bytes.length) throw new RangeError('The text is cut off.');
    return this.#bytes.toString('utf8', from, this.#at);
  }

  #next(length: number): number {
    const from = this.#at;
    this.#at += length;
    return from;
  }
}
