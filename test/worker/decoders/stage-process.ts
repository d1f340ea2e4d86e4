// A process with a stage of its own, which it never closes: it decodes the first file, says so, and begins with the others.
import { argv, env } from 'node:process';
import { openDecoders } from '../../../src/worker/decoders/decoders.ts';
import { preprocessing } from '../../support/decoderStage.ts';

const stage = openDecoders({
  preprocessing,
  decoding: {},
  files: { roots: new Map(), trustPaths: true, bytesMax: 2 ** 31 - 1 },
  decoders: 2,
  limits: { scansMax: 10_000 },
  ...(env.DECODER_PROGRAM && { program: new URL(env.DECODER_PROGRAM) }),
});
const [first, ...others] = argv.slice(2);
await stage.decode({ file: { uri: first! } });
const decoding = others.map((uri) => stage.decode({ file: { uri } }));
process.stdout.write('decoding\n');
await Promise.all(decoding);
