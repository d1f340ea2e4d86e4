import { type FileHandle, open } from 'node:fs/promises';

/** The header, padded with spaces: room for any number of rows, and data that begins at a multiple of 64 bytes. */
const HEADER_BYTES = 128;
const BUFFER_BYTES = 1024 * 1024;

/**
 * A matrix in numpy's file format (NEP 1, version 1.0), row by row. How many rows it has stands in the header, which is written
 * last.
 *
 * @param type numpy's name of the numbers, such as `<f2`
 */
export async function openNpyFile(path: string, type: '<f2' | '<f4', columns: number) {
  const file = await open(path, 'wx');
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let filled = 0;
  let rows = 0;
  await file.write(npyHeader(type, 0, columns));

  async function flush(): Promise<void> {
    await writeAll(file, buffer.subarray(0, filled));
    filled = 0;
  }

  return {
    get rows() {
      return rows;
    },
    /** @param row the bytes of its numbers, little-endian */
    async write(row: Uint8Array): Promise<void> {
      rows++;
      if (filled + row.length > buffer.length) await flush();
      if (row.length > buffer.length) return writeAll(file, row);
      buffer.set(row, filled);
      filled += row.length;
    },
    async end(): Promise<void> {
      await flush();
      await file.write(npyHeader(type, rows, columns), 0, HEADER_BYTES, 0);
      await file.sync();
      await file.close();
    },
    close: () => file.close(),
  };
}

function npyHeader(type: string, rows: number, columns: number): Buffer {
  const dictionary = `{'descr': '${type}', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = Buffer.alloc(HEADER_BYTES, ' ');
  header.write('\x93NUMPY\x01\x00', 0, 'latin1');
  header.writeUInt16LE(HEADER_BYTES - 10, 8);
  header.write(dictionary, 10, 'latin1');
  header.write('\n', HEADER_BYTES - 1);
  return header;
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; ) from += (await file.write(bytes, from)).bytesWritten;
}
