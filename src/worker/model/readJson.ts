import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';

/** A file of a model in JSON, as the schema has it. @throws MODEL_INVALID, naming the file */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new ClipfleetError('MODEL_INVALID', `Expected a readable ${path}, got: ${reason}`, {
      cause: error,
    });
  }
}
