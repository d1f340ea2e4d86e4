import { z } from 'zod';

/** A file as OpenAI's API has it. */
export const fileAnswer = z.object({
  id: z.string(),
  object: z.literal('file'),
  bytes: z.int(),
  created_at: z.int().describe('Seconds since 1970, as all times of files and batches.'),
  expires_at: z.int(),
  filename: z.string(),
  purpose: z.enum(['batch', 'batch_output']),
  status: z.literal('processed'),
});

export const fileParams = z.strictObject({ file: z.string().min(1).max(100).describe('file-...') });

/** What OpenAI's API lets files expire after, in seconds. */
export const keptSeconds = z.coerce.number().int().min(3_600).max(2_592_000);

/** The fields of an upload beside its file, whose names OpenAI's clients write with brackets. */
export const fileFields = z.looseObject({
  purpose: z.literal('batch', {
    error: 'Expected the purpose batch: files of other purposes have no use here',
  }),
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': keptSeconds.optional(),
});

const pageQuery = {
  after: z.string().min(1).max(100).optional().describe('The id of the last one of the page before.'),
};

export const filesQuery = z.looseObject({
  ...pageQuery,
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: z.string().max(100).optional(),
});

export const batchesQuery = z.looseObject({
  ...pageQuery,
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

/** A page of a list, as OpenAI's clients turn them. */
export const pageAnswer = <T extends z.ZodType>(item: T) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });

/** The part of a list after an id, from its beginning where there is none or it is none of the list's. */
export function pageOf<T extends { id: string }>(
  all: readonly T[],
  { after, limit }: { after?: string | undefined; limit: number },
) {
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const data = all.slice(from, from + limit);
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < all.length,
  };
}
