import type { FastifyRequest } from 'fastify';
import { ClipfleetError } from '../../shared/errors.ts';

export interface Upload {
  /** The image file. */
  bytes: Buffer;
  /** Every value of each field, in their order. */
  fields: Record<string, string[]>;
}

/**
 * The image and the fields of a multipart body, in any order.
 *
 * @throws REQUEST_INVALID where no file named `image` or `file` comes, REQUEST_TOO_LARGE
 */
export async function readUpload(request: FastifyRequest): Promise<Upload> {
  const { bytes, fields } = await readParts(request).catch((error: Error & { code?: string }) => {
    if (error.code?.startsWith('FST_')) throw error;
    // The parser says by plain errors that it found no boundary, or no end.
    throw new ClipfleetError('REQUEST_INVALID', `Expected multipart/form-data, got: ${error.message}.`);
  });
  if (bytes && bytes.length > 0) return { bytes, fields };
  throw new ClipfleetError('REQUEST_INVALID', 'Expected a file named image, got none or an empty one.');
}

async function readParts(request: FastifyRequest): Promise<Partial<Upload> & Pick<Upload, 'fields'>> {
  const fields: Record<string, string[]> = {};
  let bytes: Buffer | undefined;
  for await (const part of request.parts()) {
    if (part.type === 'file') {
      if (part.fieldname === 'image' || part.fieldname === 'file') bytes = await part.toBuffer();
      else part.file.resume();
    } else {
      fields[part.fieldname] = [...(fields[part.fieldname] ?? []), String(part.value)];
    }
  }
  return { ...(bytes && { bytes }), fields };
}
