import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { type OpenModelOptions, openModel } from '../src/classifier.ts';
import { defineBench, type TestBed, table } from './bench.ts';
import { sessionAlone } from './ceilings.ts';
import { baseModel, cores, counts, device, dtypes, names, rounds } from './commonArguments.ts';
import { format, spreadOf } from './spread.ts';

/** A measurement goes on for at least this long, so that a small model is not timed by single runs. */
const MEASURE_MS = 500;

export const session = defineBench({
  title: 'The vision session, by batch size and threads',
  says:
    'The bare session, given pixels that are ready: the ceiling of everything else. Images/s, median of the rounds ' +
    '(smallest to largest); all lines and columns take turns in each round.',
  arguments: {
    models: names(`${baseModel},models/demo`, 'Model directories.'),
    batches: counts('1,4,16,32', 'Batch sizes.'),
    threads: counts([...new Set([1, cores])].join(','), 'Threads of the session on the CPU.'),
    dtypes: dtypes('fp32'),
    device,
    rounds,
  },
  packages: ['onnxruntime-node'],
  async run({ models, batches, threads, dtypes, device, rounds }, bed) {
    const opened = [];
    for (const model of models.filter((model) => existsSync(model)))
      for (const dtype of dtypes)
        for (const count of threads)
          opened.push(await openOne(bed, { model, dtype, device, threads: count }));

    const rates = opened.map(() => batches.map((): number[] => []));
    for (let round = 0; round <= rounds; round++) {
      bed.say(`round ${round} of ${rounds}`);
      for (const [line, { model }] of opened.entries()) {
        for (const [column, batch] of batches.entries()) {
          const { rate } = await sessionAlone(model, batch, { images: 1, ms: MEASURE_MS });
          if (round > 0) rates[line]![column]!.push(rate);
        }
      }
    }
    const lines = opened.map(({ name, dtype, threads }, line) => [
      name,
      dtype,
      String(threads),
      ...rates[line]!.map((ofBatch) => format(spreadOf(ofBatch))),
    ]);
    const absent = models.filter((model) => !existsSync(model)).map((model) => `Absent: ${model}.`);
    const header = ['model', 'dtype', 'threads', ...batches.map((batch) => `batch ${batch}`)];
    return [table(header, lines), `${rounds} rounds on ${device}.`, ...absent].join('\n\n');
  },
});

type Choice = Required<Pick<OpenModelOptions, 'model' | 'dtype' | 'threads' | 'device'>>;

async function openOne(bed: TestBed, choice: Choice) {
  const model = await openModel({ ...choice, logitScale: 100, logitBias: 0 });
  bed.after(() => model.close());
  return { ...choice, name: basename(choice.model), model };
}
