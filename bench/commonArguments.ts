import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { choice, integer } from '../src/shared/options/option.ts';
import { argument } from './bench.ts';

/** ViT-B/32 with random weights, written by `bench/random_models.py .clipfleet/bench-models vit-b-32`. */
export const baseModel = '.clipfleet/bench-models/vit-b-32';

const listed = z.string().transform((text) => text.split(',').filter((item) => item !== ''));
const precision = choice('fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4');

export const cores = availableParallelism();

export const counts = (byDefault: string, says: string) =>
  argument({ schema: listed.pipe(z.array(integer(1, 1_000_000)).min(1)), default: byDefault, says });
export const names = (byDefault: string, says: string) =>
  argument({ schema: listed.pipe(z.array(z.string()).min(1)), default: byDefault, says });
export const dtypes = (byDefault: string) =>
  argument({
    schema: listed.pipe(z.array(precision).min(1)),
    default: byDefault,
    says: 'Precisions of the weights.',
  });
export const count = (byDefault: string, says: string, max = 1_000_000_000) =>
  argument({ schema: integer(1, max), default: byDefault, says });

export const rounds = count('5', 'Rounds that count; one more before them warms up.');
export const device = argument({
  schema: choice('cpu', 'cuda'),
  default: 'cpu',
  says: 'Where the sessions run: cpu or cuda.',
});
export const threads = count(String(cores), 'Threads of a session on the CPU.', 1_024);
export const batchSize = count('16', 'Most images that go through the session together.', 1_024);
export const dtype = argument({ schema: precision, default: 'fp32', says: 'Precision of the weights.' });
