import { z } from 'zod';
import { choice, list, onOff, option, real, text } from './option.ts';

/** Which rows are exported, and in which form. */
export const exportOptions = {
  follow: option({
    flag: 'follow',
    env: 'CLIPFLEET_FOLLOW',
    schema: onOff,
    default: 'false',
    says: 'Export rows as they come until the run ends: JSON lines and CSV grow, other formats become a folder of finished parts.',
  }),
  label: option({
    flag: 'label',
    env: 'CLIPFLEET_LABEL',
    value: 'LABEL',
    schema: list.optional(),
    repeat: true,
    says: 'Only images whose best label is this one.',
  }),
  minScore: option({
    flag: 'min-score',
    env: 'CLIPFLEET_MIN_SCORE',
    value: 'SCORE',
    schema: real(-1e9, 1e9).optional(),
    says: 'Only images whose best label has at least this score.',
  }),
  maxScore: option({
    flag: 'max-score',
    env: 'CLIPFLEET_MAX_SCORE',
    value: 'SCORE',
    schema: real(-1e9, 1e9).optional(),
    says: 'Only images whose best label has at most this score.',
  }),
  status: option({
    flag: 'status',
    env: 'CLIPFLEET_STATUS',
    value: 'STATUS',
    schema: choice('classified', 'embedded', 'failed').optional(),
    says: 'Only rows of this status: classified, embedded or failed.',
  }),
  sort: option({
    flag: 'sort',
    env: 'CLIPFLEET_SORT',
    value: 'ORDER',
    schema: z.literal('uncertainty', { error: 'Expected uncertainty' }).optional(),
    says: 'uncertainty: begin with the images of the lowest best score.',
  }),
  join: option({
    flag: 'join',
    env: 'CLIPFLEET_JOIN',
    value: 'LIST',
    schema: text.optional(),
    says: 'Add the other columns of this list (CSV, TSV, JSON lines, Parquet) to the rows, by image id.',
  }),
  wide: option({
    flag: 'wide',
    env: 'CLIPFLEET_WIDE',
    schema: onOff,
    default: 'false',
    says: 'CSV: a column for each label instead of the best five.',
  }),
  bom: option({
    flag: 'bom',
    env: 'CLIPFLEET_BOM',
    schema: onOff,
    default: 'false',
    says: 'CSV: begin with a byte order mark, by which Excel knows UTF-8.',
  }),
  compact: option({
    flag: 'compact',
    env: 'CLIPFLEET_COMPACT',
    schema: onOff,
    default: 'false',
    says: 'JSON lines: what is the same for all rows stands once, in the first line.',
  }),
  vectors: option({
    flag: 'vectors',
    env: 'CLIPFLEET_VECTORS',
    schema: onOff,
    default: 'false',
    says: 'Parquet: a column with the kept vector of each image. npy has them wherever they were kept.',
  }),
} as const;
