import { endOptions, outputOptions, redisOptions } from './commonOptions.ts';
import { decisionOptions } from './decisionOptions.ts';
import { embeddingOptions } from './embeddingOptions.ts';
import { exportOptions } from './exportOptions.ts';
import { fileOptions } from './fileOptions.ts';
import { gatewayOptions } from './gatewayOptions.ts';
import { imageOptions } from './imageOptions.ts';
import { labelSetOptions } from './labelSetOptions.ts';
import { runOptions } from './runOptions.ts';
import { fleetOptions, sessionOptions } from './sessionOptions.ts';
import { sourceOptions } from './sourceOptions.ts';

/** Every setting there is. */
export const options = {
  ...redisOptions,
  ...sessionOptions,
  ...embeddingOptions,
  ...labelSetOptions,
  ...sourceOptions,
  ...runOptions,
  ...imageOptions,
  ...fleetOptions,
  ...gatewayOptions,
  ...endOptions,
  ...outputOptions,
  ...decisionOptions,
  ...exportOptions,
  ...fileOptions,
} as const;

export type OptionName = keyof typeof options;

/** The sections of docs/configuration.md. */
export const optionGroups = [
  { title: 'Redis and logging', options: redisOptions },
  { title: 'Model and session', options: sessionOptions },
  { title: 'Remembered embeddings', options: embeddingOptions },
  { title: 'Labels', options: labelSetOptions },
  { title: 'Lists of images', options: sourceOptions },
  { title: 'Runs', options: runOptions },
  { title: 'Reading images', options: imageOptions },
  { title: 'A worker among others', options: fleetOptions },
  { title: 'The HTTP gateway', options: gatewayOptions },
  { title: 'Ending', options: endOptions },
  { title: 'Output', options: outputOptions },
  { title: 'Decisions', options: decisionOptions },
  { title: 'Exports', options: exportOptions },
  { title: 'Labeled files', options: fileOptions },
] as const;

/** What most people set, in the order of the help texts, which show the first ten that a command has before the rest. */
export const usualOptions: readonly OptionName[] = [
  'labels',
  'labelsFile',
  'model',
  'output',
  'into',
  'write',
  'by',
  'unsure',
  'dryRun',
  'undo',
  'run',
  'topK',
  'template',
  'table',
  'device',
  'label',
  'accept',
  'decision',
  'force',
  'watch',
  'format',
  'code',
  'root',
  'processes',
  'batchSize',
  'dataDir',
  'port',
  'host',
  'apiKeys',
  'scopes',
  'redisUrl',
  'logLevel',
];
