import type { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { type Batch, type BatchRecords, hasEnded, type Moment } from '../batches/batchRecord.ts';
import type { FileStore } from '../files/fileStore.ts';
import type { GatewayApp } from '../http/gatewayApp.ts';
import { batchAnswer, batchParams, newBatchBody, windowSeconds } from '../schemas/openAiBatch.ts';
import { batchesQuery, pageAnswer, pageOf } from '../schemas/openAiFile.ts';
import { problems } from '../schemas/rowAnswer.ts';

export interface BatchRoutesOptions {
  files: FileStore;
  records: BatchRecords;
  /** Told of a new batch, and of one that is to end. */
  look: () => void;
}

/** Batches, as OpenAI's clients make and follow them. */
export function batchRoutes(app: GatewayApp, { files, records, look }: BatchRoutesOptions): void {
  const reads = { scope: 'read', isOpenAi: true } as const;
  const writes = { scope: 'enqueue', isOpenAi: true } as const;

  app.post(
    '/v1/batches',
    {
      config: writes,
      schema: {
        summary: 'Answer the requests of a file.',
        description:
          'Each line of the file is {"custom_id", "method": "POST", "url", "body"}, with the body that its route takes. Answers come into an ' +
          'output file, requests that fail into an error file.',
        body: newBatchBody,
        response: { 200: batchAnswer, ...problems(404, 413, 415) },
      },
    },
    async ({ body }) => {
      const { input_file_id, endpoint, completion_window, metadata = null, output_expires_after } = body;
      const { purpose } = await files.get(input_file_id);
      if (purpose !== 'batch') {
        const message = `Expected a file with the purpose batch, ${input_file_id} has ${purpose}.`;
        throw new ClipfleetError('REQUEST_INVALID', message);
      }
      const created_at = Math.floor(Date.now() / 1_000);
      const batch = await records.create({
        ...{ endpoint, input_file_id, completion_window, metadata, created_at },
        expires_at: created_at + windowSeconds(completion_window),
        output_kept_s: output_expires_after?.seconds,
      });
      look();
      return answerOf(batch);
    },
  );

  app.get(
    '/v1/batches',
    {
      config: reads,
      schema: {
        summary: 'List batches, the newest first.',
        querystring: batchesQuery,
        response: { 200: pageAnswer(batchAnswer), ...problems() },
      },
    },
    async ({ query }) => pageOf((await records.list()).map(answerOf), query),
  );

  app.get(
    '/v1/batches/:batch',
    {
      config: reads,
      schema: { summary: 'A batch.', params: batchParams, response: { 200: batchAnswer, ...problems(404) } },
    },
    async ({ params }) => answerOf(await records.get(params.batch)),
  );

  app.post(
    '/v1/batches/:batch/cancel',
    {
      config: writes,
      schema: {
        summary: 'End a batch. What is answered by then stays in its output file.',
        params: batchParams,
        response: { 200: batchAnswer, ...problems(404, 409) },
      },
    },
    async ({ params: { batch: id } }) => {
      const batch = await records.get(id);
      if (hasEnded(batch)) {
        const message = `Expected a batch that goes on, ${id} is ${batch.status}.`;
        throw new ClipfleetError('BATCH_ENDED', message);
      }
      await records.say(id, 'cancelling_at');
      look();
      return answerOf(await records.get(id));
    },
  );
}

function answerOf(batch: Batch): z.infer<typeof batchAnswer> {
  const { id, endpoint, input_file_id, completion_window, created_at, expires_at, metadata } = batch;
  const { status, total, completed, failed, output_file_id = null, error_file_id = null, errors } = batch;
  const at = (moment: Moment) => batch.at[moment] ?? null;
  return {
    ...{ id, object: 'batch', endpoint, input_file_id, completion_window, status },
    errors: errors ? { object: 'list', data: errors.map((error) => ({ ...error, param: null })) } : null,
    ...{ output_file_id, error_file_id, created_at, expires_at },
    in_progress_at: at('in_progress_at'),
    finalizing_at: at('finalizing_at'),
    completed_at: at('completed_at'),
    failed_at: at('failed_at'),
    expired_at: at('expired_at'),
    cancelling_at: at('cancelling_at'),
    cancelled_at: at('cancelled_at'),
    request_counts: { total, completed, failed },
    metadata,
  };
}
