// One bench in this process: node dist/bench/runBench.js NAME [--argument VALUE]... ; see main.ts.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Arguments, type Bench, readValues, type TestBed, type Values } from './bench.ts';
import { benches } from './benches.ts';
import { describeMachine } from './machine.ts';
import { writeSection } from './page.ts';

const [name = '', ...argv] = process.argv.slice(2);
const bench = await benches[name]?.();
if (!bench) throw new Error(`Expected the name of a bench, got '${name}'.`);

if (argv.includes('--help')) {
  for (const [flag, { says, default: byDefault }] of Object.entries(bench.arguments)) {
    console.log(`--${flag} ${byDefault}\n    ${says}`);
  }
} else await measure(bench);

async function measure({ title, says, arguments: definitions, packages, run }: Bench): Promise<void> {
  const { section, print, values } = readOwn(definitions);
  const { bed, end } = await makeBed();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      // What is under way fails while everything is taken from under it.
      process.on('unhandledRejection', () => {});
      void end().finally(() => process.exit(130));
    });
  }
  try {
    const startedAt = Date.now();
    const figures = await run(values, bed);
    const minutes = ((Date.now() - startedAt) / 60_000).toFixed(1);
    const typed = argv.filter((word) => word !== '--print').join(' ');
    const command = `\`npm run bench -- ${name}${typed && ` ${typed}`}\``;
    const about = `${command}, ${new Date().toISOString().slice(0, 10)}, ${minutes} min. ${describeMachine(packages)}.`;
    const heading = section === name ? title : `${title} (${section})`;
    const text = `## ${heading}\n\n${says}\n\n${figures}\n\n${about}`;
    console.log(text);
    if (!print) await writeSection(section, text);
  } finally {
    await end();
  }
}

/** What every bench can be told, and what this one is told. */
function readOwn<A extends Arguments>(
  definitions: A,
): { section: string; print: boolean; values: Values<A> } {
  const words = argv.filter((word) => word !== '--print');
  const at = words.indexOf('--section');
  const section = at < 0 ? name : words.splice(at, 2)[1];
  if (!section || !/^[a-z0-9-]+$/.test(section))
    throw new Error(`Expected --section NAME, got '${section}'.`);
  return { section, print: argv.includes('--print'), values: readValues(definitions, words) };
}

async function makeBed(): Promise<{ bed: TestBed; end(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'clipfleet-bench-'));
  const cleanUps: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
  const bed: TestBed = {
    folder,
    say: (line) => void process.stderr.write(`${name}: ${line}\n`),
    after: (cleanUp) => void cleanUps.push(cleanUp),
  };
  const cleanUpAll = async () => {
    for (let cleanUp = cleanUps.pop(); cleanUp; cleanUp = cleanUps.pop()) await cleanUp();
  };
  let ending: Promise<void> | undefined;
  return {
    bed,
    end() {
      ending ??= cleanUpAll();
      return ending;
    },
  };
}
