import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { replaceFile } from '../../shared/files/replaceFile.ts';
import type { FileStore } from '../files/fileStore.ts';
import { openAiError, problemOf } from '../http/problem.ts';
import type { BatchLine, BatchWindow } from './batchLines.ts';
import type { LineOutcome } from './batchWindow.ts';

/** The two files of a batch: answers, and what has none. */
const kinds = ['output', 'error'] as const;
type Kind = (typeof kinds)[number];

/** What is written of a batch so far: a file for each window and kind, which is there whole or not at all. */
export function createBatchOutput(files: FileStore) {
  const folderOf = (batch: string) => join(files.folder, batch);
  const pathOf = (batch: string, window: number, kind: Kind) =>
    join(folderOf(batch), `${String(window).padStart(6, '0')}.${kind}.jsonl`);

  async function* joined(batch: string, windows: number, kind: Kind): AsyncGenerator<Uint8Array> {
    for (let window = 0; window < windows; window++) yield* createReadStream(pathOf(batch, window, kind));
  }

  return {
    /** Whether a window is written here. */
    async has(batch: string, window: number): Promise<boolean> {
      const found = kinds.map((kind) => access(pathOf(batch, window, kind)));
      return Promise.all(found).then(
        () => true,
        () => false,
      );
    },

    /** Writes the lines of a window, in their order; a second time the same. @throws FILES_FULL */
    async write(batch: string, { number, lines }: BatchWindow, outcomes: ReadonlyMap<number, LineOutcome>) {
      await files.room();
      const counts = { completed: 0, failed: 0 };
      for (const kind of kinds) {
        const ofKind = lines.filter((line) => 'error' in outcomes.get(line.number)! === (kind === 'error'));
        counts[kind === 'error' ? 'failed' : 'completed'] = ofKind.length;
        const texts = function* () {
          for (const line of ofKind)
            yield `${JSON.stringify(answerOf(batch, line, outcomes.get(line.number)!))}\n`;
        };
        await replaceFile(pathOf(batch, number, kind), (part) =>
          pipeline(texts, createWriteStream(part, { mode: 0o600 })),
        );
      }
      return counts;
    },

    /** Makes the batch's files of its windows; a second time the same. Of a kind without lines there is none. @throws FILES_FULL */
    async join(batch: string, windows: number, keptS: number | undefined) {
      const made: { output_file_id?: string; error_file_id?: string } = {};
      for (const kind of kinds) {
        const hex = createHash('sha256').update(`${batch} ${kind}`).digest('hex');
        const id = `file-${hex.slice(0, 24)}`;
        const bytes = await files.write(id, joined(batch, windows, kind));
        if (bytes === 0) continue;
        await files.keep({ id, bytes, filename: `${batch}_${kind}.jsonl`, purpose: 'batch_output', keptS });
        made[`${kind}_file_id`] = id;
      }
      return made;
    },

    async clear(batch: string): Promise<void> {
      await rm(folderOf(batch), { recursive: true, force: true });
    },
  };
}

/** A line as OpenAI's batches have it; of a failed one also our code, and the status that its route would answer with. */
function answerOf(batch: string, { number, customId }: BatchLine, outcome: LineOutcome): object {
  const id = `${batch.replace('batch_', 'batch_req_')}_${number}`;
  const about = { id, custom_id: customId };
  if ('body' in outcome)
    return { ...about, response: { status_code: 200, request_id: id, body: outcome.body }, error: null };
  const { error } = outcome;
  const { code, message } = error;
  const wasAsked = code !== 'BATCH_CANCELLED' && code !== 'BATCH_EXPIRED';
  const problem = problemOf(error, id);
  const body = { ...problem, ...openAiError(error) };
  const response = wasAsked ? { status_code: problem.status, request_id: id, body } : null;
  return { ...about, response, error: { code, message } };
}
