import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import type { FileObject, FileStore } from '../files/fileStore.ts';
import type { GatewayApp } from '../http/gatewayApp.ts';
import { fileAnswer, fileFields, fileParams, filesQuery, pageAnswer, pageOf } from '../schemas/openAiFile.ts';
import { problems } from '../schemas/rowAnswer.ts';

const uploadForm =
  'multipart/form-data with a file named file and the fields purpose, which is batch, and expires_after[anchor] and ' +
  'expires_after[seconds] where it is to go at another time than others.';

const FILENAME_CHARS_MAX = 255;

/** The files of batches, as OpenAI's clients put and get them. */
export function fileRoutes(app: GatewayApp, files: FileStore, fileBytesMax: number): void {
  const reads = { scope: 'read', isOpenAi: true } as const;
  const writes = { scope: 'enqueue', isOpenAi: true } as const;

  app.post(
    '/v1/files',
    {
      config: writes,
      schema: {
        summary: 'Upload the file of a batch.',
        description: uploadForm,
        body: { content: { 'multipart/form-data': { schema: z.any() } } },
        response: { 200: fileAnswer, ...problems(413, 415) },
      },
    },
    async (request) => receive(request, files, fileBytesMax),
  );

  app.get(
    '/v1/files',
    {
      config: reads,
      schema: {
        summary: 'List files, the newest first.',
        querystring: filesQuery,
        response: { 200: pageAnswer(fileAnswer), ...problems() },
      },
    },
    async ({ query }) => {
      const { order, purpose } = query;
      const all = (await files.list()).filter((file) => purpose === undefined || file.purpose === purpose);
      return pageOf(order === 'asc' ? all.reverse() : all, query);
    },
  );

  app.get(
    '/v1/files/:file',
    {
      config: reads,
      schema: { summary: 'A file.', params: fileParams, response: { 200: fileAnswer, ...problems(404) } },
    },
    async ({ params: { file } }) => files.get(file),
  );

  app.get(
    '/v1/files/:file/content',
    {
      config: reads,
      schema: {
        summary: 'The bytes of a file.',
        params: fileParams,
        response: {
          200: { content: { 'application/octet-stream': { schema: z.string() } } },
          ...problems(404),
        },
      },
    },
    async ({ params }, reply) => {
      const { bytes } = await files.get(params.file);
      const content = await files.read(params.file);
      return reply
        .type('application/octet-stream')
        .header('content-length', bytes)
        .send(content as never);
    },
  );

  app.delete(
    '/v1/files/:file',
    {
      config: writes,
      schema: {
        summary: 'Delete a file. A batch that still reads it fails.',
        params: fileParams,
        response: {
          200: z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) }),
          ...problems(404),
        },
      },
    },
    async ({ params: { file: id } }) => {
      await files.remove(id);
      return { id, object: 'file', deleted: true } as const;
    },
  );
}

/** Writes the file as it comes, wherever it stands in the form. @throws REQUEST_INVALID, REQUEST_TOO_LARGE, FILES_FULL */
async function receive(request: FastifyRequest, files: FileStore, fileBytesMax: number): Promise<FileObject> {
  const id = `file-${randomBytes(12).toString('hex')}`;
  const fields: Record<string, string> = {};
  let file: { bytes: number; filename: string } | undefined;
  // One byte more than is taken: the store says it with our words.
  const parts = request.parts({ limits: { fileSize: fileBytesMax + 1, files: 1, fields: 20, parts: 21 } });
  try {
    for await (const part of parts) {
      if (part.type === 'field') fields[part.fieldname] = String(part.value);
      else if (part.fieldname === 'file')
        file = {
          bytes: await files.write(id, part.file),
          filename: part.filename.slice(0, FILENAME_CHARS_MAX),
        };
      else part.file.resume();
    }
  } catch (error) {
    // The parser says by plain errors that it found no boundary, or no end.
    const { code } = error as { code?: string };
    if (error instanceof ClipfleetError || code !== undefined) throw error;
    throw invalid(`Expected multipart/form-data, got: ${(error as Error).message}.`);
  }
  const asked = fileFields.safeParse(fields);
  if (!asked.success) {
    const { path, message } = asked.error.issues[0]!;
    throw invalid(`field ${path.join('.')}: ${message}.`);
  }
  if (!file || file.bytes === 0) throw invalid('Expected a file named file, got none or an empty one.');
  return files.keep({ id, ...file, purpose: 'batch', keptS: asked.data['expires_after[seconds]'] });
}

function invalid(message: string): ClipfleetError {
  return new ClipfleetError('REQUEST_INVALID', message);
}
