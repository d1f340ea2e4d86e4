import { createReadStream } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import { nameOfBytes, pathBytes } from '../../shared/refs/byteNames.ts';

/** What a file is beside another: the same bytes, its beginning, or something else. */
export type Comparison = 'equal' | 'beginning' | 'other';

/** Compares a file with another, by its bytes. Files with two names are equal. What is no file is something else. */
export async function compareFiles(path: string, whole: string): Promise<Comparison> {
  const [one, two] = await Promise.all(
    [path, whole].map((each) => lstat(pathBytes(each)).catch(() => undefined)),
  );
  if (!one?.isFile() || !two?.isFile() || one.size > two.size) return 'other';
  if (one.dev === two.dev && one.ino === two.ino) return 'equal';
  const file = await open(pathBytes(whole));
  try {
    for await (const part of createReadStream(pathBytes(path)) as AsyncIterable<Buffer>) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(part.length), 0, part.length);
      if (bytesRead !== part.length || !buffer.equals(part)) return 'other';
    }
  } finally {
    await file.close();
  }
  return one.size === two.size ? 'equal' : 'beginning';
}

/** Where a symbolic link says it leads; undefined for what is none. */
export async function linkTarget(path: string): Promise<string | undefined> {
  return readlink(pathBytes(path), { encoding: 'buffer' }).then(nameOfBytes, () => undefined);
}
