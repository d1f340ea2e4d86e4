// Decodes the mutants and prints a line for each: its number and what came of it. A process of its own, so that a decoder
// that crashes is seen, and named by the first number that is missing.
import PQueue from 'p-queue';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { decodeWhole } from '../../../src/worker/decode/decode.ts';
import { bounds, makeMutants, makeSeeds } from './mutants.ts';

const mutants = makeMutants(await makeSeeds(), Number(process.argv[2]));
const queue = new PQueue({ concurrency: 4 });
await queue.addAll(
  mutants.map(({ bytes }, number) => async () => {
    const { code, message } = await decodeWhole(bytes, bounds).then(
      () => ({ code: 'decoded', message: '' }),
      (error) =>
        error instanceof ClipfleetError
          ? { code: error.code, message: error.message }
          : { code: String(error), message: '' },
    );
    process.stdout.write(`${JSON.stringify({ number, code, message })}\n`);
  }),
);
