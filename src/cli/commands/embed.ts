import { listOptions } from '../../openSource.ts';
import { modelOptions } from '../../worker/model/loadModel.ts';
import { workerOptions } from '../../worker/workerSettings.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions } from '../setup/context.ts';
import { runHere } from '../workers/runHere.ts';

export const embedCommand = createCommand({
  examples: [
    'clipfleet embed pictures --keep-embeddings vectors --output pictures.npy',
    'clipfleet embed photos.csv --url-column image --keep-embeddings vectors --run photos',
    'clipfleet relabel photos --labels "day,night"   # labels, whenever they are wanted',
  ],
  options: [
    'keepEmbeddings',
    'output',
    'force',
    'table',
    ...listOptions,
    'run',
    'changed',
    ...modelOptions,
    ...workerOptions,
    'chunkSize',
    'highWater',
    'attempts',
    'maxFailureRate',
    'graceMs',
    ...contextOptions,
  ] as const,
  oneOf: ['keepEmbeddings'],
  run: (paths, config) => runHere(paths, config, undefined),
});
