import { ClipfleetError } from '../errors.ts';

/** Whether Redis refused a command because somebody else put something of another type under the key. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}

/** What comes of work on a key of the whole fleet. @throws REDIS_UNSUITABLE where it is of another type */
export async function readingKey<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isWrongType(error)) throw error;
    const message = `Expected Clipfleet's own data under the key '${key}', got another type: remove that key, or give another --prefix.`;
    throw new ClipfleetError('REDIS_UNSUITABLE', message, { cause: error });
  }
}
