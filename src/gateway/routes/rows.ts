import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Producer } from '../../producer/producer.ts';
import { decisions } from '../../results/decisions/judge.ts';
import { csvFormat } from '../../results/formats/csvRows.ts';
import { jsonlFormat } from '../../results/formats/jsonlRows.ts';
import type { LineFormat } from '../../results/outputs/lineFormat.ts';
import { type ExportedRun, judged } from '../../results/rows/exportedRun.ts';
import { isWanted, type RowFilter } from '../../results/rows/rowFilter.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { imageRefLimits } from '../../shared/refs/imageRef.ts';
import type { PublicRow } from '../../shared/rows/row.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { problems, rowAnswer } from '../schemas/rowAnswer.ts';
import { runParams } from '../schemas/runBody.ts';
import { judgedRunOf, scoreParam, thresholdParams } from './judgedRun.ts';

const filters = thresholdParams.extend({
  status: z.enum(['classified', 'embedded', 'failed']).optional(),
  label: z.string().min(1).max(1_000).optional().describe('Rows whose best label is this one.'),
  minScore: scoreParam.optional().describe('Rows whose best score is at least this.'),
  maxScore: scoreParam.optional().describe('Rows whose best score is at most this.'),
  decision: z
    .enum(decisions)
    .optional()
    .describe('Rows of this decision; refused where no thresholds decide.'),
});

type Filters = z.infer<typeof filters>;

const PAGE_MAX = 1_000;

/** Streams are not made from their schema: it is for the document alone. */
const line = { schema: z.string().describe('A row a line.') };

/** The rows of a run, also while it is in progress. */
export function rowRoutes(app: GatewayApp, options: GatewayOptions): void {
  const { producer } = options;
  app.get(
    '/v1/runs/:run/rows',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The rows of a run so far, each once, as NDJSON or CSV.',
        description:
          'With follow=true they go on as they come until the run has ended. A row that a retry replaced comes again, and an empty line every ' +
          '15 seconds says that the connection lives.',
        params: runParams,
        querystring: filters.extend({
          format: z.enum(['ndjson', 'csv']).default('ndjson'),
          follow: z.enum(['true', 'false']).default('false'),
        }),
        response: { 200: { content: { 'application/x-ndjson': line, 'text/csv': line } }, ...problems(404) },
      },
    },
    async ({ params: { run }, query }, reply) => {
      // What stands against it is said before the first byte.
      const about = await judgedRunOf(options, run, query);
      const isCsv = query.format === 'csv';
      const format = isCsv ? csvFormat(about) : jsonlFormat(about);
      const rows = query.follow === 'true' ? rowsAsTheyCome(producer, run) : producer.rows(run);
      const lines = linesOf(rows, about, filterOf(query), format);
      return reply
        .type(isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .send(Readable.from(lines, { objectMode: false, highWaterMark: 64 * 1024 }) as never);
    },
  );

  app.get(
    '/v1/runs/:run/rows/page',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'A page of rows, in the order of the input while the run has at most 100,000 images.',
        params: runParams,
        querystring: filters.extend({
          offset: z.coerce.number().int().min(0).max(1e9).default(0),
          limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
        }),
        response: {
          200: z.object({
            rows: z.array(rowAnswer),
            next: z.int().optional().describe('The next page’s offset; absent after the last page.'),
          }),
          ...problems(404),
        },
      },
    },
    async ({ params: { run }, query }) => {
      const { offset, limit } = query;
      const filter = filterOf(query);
      const about = await judgedRunOf(options, run, query);
      const rows: PublicRow[] = [];
      let place = 0;
      for await (const found of producer.rows(run)) {
        const row = judged(found, about);
        if (!isWanted(row, filter) || place++ < offset) continue;
        if (rows.length === limit) return { rows: rows as never, next: offset + limit };
        rows.push(row);
      }
      return { rows: rows as never };
    },
  );

  app.get(
    '/v1/runs/:run/row',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The row of one image, by its id.',
        params: runParams,
        querystring: thresholdParams.extend({ id: z.string().min(1).max(imageRefLimits.idCharsMax) }),
        response: { 200: rowAnswer, ...problems(404) },
      },
    },
    async ({ params: { run }, query: { id, ...said } }) => {
      const row = await producer.row(run, id);
      if (row) return judged(row, await judgedRunOf(options, run, said)) as never;
      throw new ClipfleetError('ROW_UNKNOWN', `Run '${run}' has no row for ${JSON.stringify(id)}.`);
    },
  );
}

function filterOf({ label, ...others }: Filters): RowFilter {
  return { ...others, labels: label === undefined ? undefined : [label] };
}

/** Proxies close connections that are silent for half a minute or more. */
const HEARTBEAT_MS = 15_000;

/** The rows of a run until it has ended; undefined where nothing came for long. */
async function* rowsAsTheyCome({ newRows }: Producer, run: string): AsyncGenerator<PublicRow | undefined> {
  const gone = new AbortController();
  const groups = newRows(run, { signal: gone.signal });
  let next = groups.next();
  try {
    for (;;) {
      const timer = new AbortController();
      const silence = delay(HEARTBEAT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
      const group = await Promise.race([next, silence]);
      timer.abort();
      if (group?.done) return;
      if (group) next = groups.next();
      yield* group?.value ?? [undefined];
    }
  } finally {
    next.catch(() => {});
    gone.abort();
  }
}

async function* linesOf(
  rows: AsyncIterable<PublicRow | undefined>,
  about: ExportedRun,
  filter: RowFilter,
  { header, line }: LineFormat,
) {
  if (header !== undefined) yield `${header}\n`;
  for await (const found of rows) {
    const row = found && judged(found, about);
    if (!row) yield '\n';
    else if (isWanted(row, filter)) yield `${line(row)}\n`;
  }
}
