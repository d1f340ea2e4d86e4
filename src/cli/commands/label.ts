import { listOptions } from '../../openSource.ts';
import { modelOptions } from '../../worker/model/loadModel.ts';
import { workerOptions } from '../../worker/workerSettings.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions } from '../setup/context.ts';
import { labelSetForRun } from '../setup/continuedRun.ts';
import { labelOptions, labelSetOf, thresholdsGiven } from '../setup/labels.ts';
import { warnOfLikeLabels } from '../terminal/notices.ts';
import { runHere } from '../workers/runHere.ts';

export const labelCommand = createCommand({
  examples: [
    'clipfleet label pictures --labels "fox,bear,owl"',
    'clipfleet label "holiday/**/*.jpg" --labels-file names.txt --top-k 3 --output rows.jsonl',
    'clipfleet label photos.csv --url-column image --labels "cat,dog"',
    'clipfleet label https://example.org/cat.jpg --labels "cat,dog" --output - | jq .predictions',
    'clipfleet label pictures --labels "fox,bear,owl" --run 20261123-145500-k3x9q2   # continue',
    'clipfleet label pictures --labels "fox,bear,owl" --run pictures --changed   # what is new or was changed',
  ],
  options: [
    ...labelOptions,
    'output',
    'force',
    'table',
    ...listOptions,
    'run',
    'changed',
    'keepEmbeddings',
    ...modelOptions,
    ...workerOptions,
    'chunkSize',
    'highWater',
    'attempts',
    'maxFailureRate',
    'graceMs',
    ...contextOptions,
  ] as const,
  oneOf: ['labels', 'labelsFile'],
  run(paths, config) {
    return runHere(paths, config, {
      check: async () => warnOfLikeLabels(await labelSetOf(config)),
      async of(context) {
        const labelSet = await labelSetForRun(config, context);
        return { labelSet, ...(await thresholdsGiven(config, labelSet)) };
      },
      file: config.labelsFile,
    });
  },
});
