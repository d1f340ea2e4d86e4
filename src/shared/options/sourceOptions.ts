import { choice, option, text } from './option.ts';

/** Lists that are read row by row, which standard input may be too. */
const textFormats = ['text', 'csv', 'tsv', 'jsonl'] as const;
export type TextFormat = (typeof textFormats)[number];

/** How lists of images are read. */
export const sourceOptions = {
  urlColumn: option({
    flag: 'url-column',
    env: 'CLIPFLEET_URL_COLUMN',
    value: 'NAME',
    schema: text.optional(),
    defaultSays: 'the first there is of url, image_url, uri, file_name, path, image',
    says: 'Column with the paths or URLs in a CSV, TSV, JSONL or Parquet list.',
  }),
  idColumn: option({
    flag: 'id-column',
    env: 'CLIPFLEET_ID_COLUMN',
    value: 'NAME',
    schema: text.optional(),
    defaultSays: 'the first there is of key, id, custom_id, else the path or URL',
    says: 'Column with the image ids, which must be unique in the run.',
  }),
  inputFormat: option({
    flag: 'input-format',
    env: 'CLIPFLEET_INPUT_FORMAT',
    value: 'FORMAT',
    schema: choice(...textFormats).optional(),
    defaultSays: 'its first line decides',
    says: 'Format of standard input (-): text (one path or URL per line), csv, tsv or jsonl.',
  }),
} as const;
