import { choice, integer, onOff, option, text } from './option.ts';

/** What is done to and beside the labeled files. */
export const fileOptions = {
  into: option({
    flag: 'into',
    env: 'CLIPFLEET_INTO',
    value: 'DIR',
    schema: text.optional(),
    says: 'Sort the labeled files into this folder, one folder below it for each label.',
  }),
  by: option({
    flag: 'by',
    env: 'CLIPFLEET_BY',
    value: 'WAY',
    schema: choice('link', 'copy', 'move'),
    default: 'link',
    says: 'How files are sorted: link makes symbolic links, copy leaves them where they are, move does not.',
  }),
  unsure: option({
    flag: 'unsure',
    env: 'CLIPFLEET_UNSURE',
    value: 'DIR',
    schema: text.optional(),
    defaultSays: 'they stay where they are',
    says: 'Folder for files of which no label is sure enough.',
  }),
  dryRun: option({
    flag: 'dry-run',
    env: 'CLIPFLEET_DRY_RUN',
    schema: onOff,
    default: 'false',
    says: 'Say what would be done, file by file, and change nothing.',
  }),
  log: option({
    flag: 'log',
    env: 'CLIPFLEET_LOG',
    value: 'FILE',
    schema: text.optional(),
    defaultSays: 'in the folder logs of --data-dir',
    says: 'File for the log by which all can be undone.',
  }),
  undo: option({
    flag: 'undo',
    env: 'CLIPFLEET_UNDO',
    value: 'LOG',
    schema: text.optional(),
    says: 'Undo what this log says.',
  }),
  write: option({
    flag: 'write',
    env: 'CLIPFLEET_WRITE',
    value: 'FORMAT',
    schema: choice('xmp', 'txt').optional(),
    says: 'Write labels beside the files: xmp for programs for photos, txt with commas for trainers of image models.',
  }),
  sidecar: option({
    flag: 'sidecar',
    env: 'CLIPFLEET_SIDECAR',
    value: 'NAME',
    schema: choice('name', 'stem'),
    default: 'name',
    says: 'name: photo.jpg.xmp, as digiKam, darktable and Immich read it; stem: photo.xmp, as Adobe does.',
  }),
  thumbnails: option({
    flag: 'thumbnails',
    env: 'CLIPFLEET_THUMBNAILS',
    value: 'N',
    schema: integer(0, 1_000),
    default: '200',
    says: 'Most pictures in a report; 0 for none.',
  }),
} as const;
