import { readdirSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Decoders, type DecodersOptions, openDecoders } from '../../src/worker/decoders/decoders.ts';
import { parsePreprocessing } from '../../src/worker/resize/preprocessing.ts';

export const preprocessing = parsePreprocessing({ image_processor_type: 'CLIPImageProcessor' });

/** A stage that reads any path, and goes with the test. */
export function openStage(t: TestContext, changes: Partial<DecodersOptions> = {}): Decoders {
  const stage = openDecoders({
    preprocessing,
    decoding: {},
    files: { roots: new Map(), trustPaths: true, bytesMax: 2 ** 31 - 1 },
    decoders: 2,
    ...changes,
  });
  t.after(() => stage.close());
  return stage;
}

/** What became of a file: `pixels`, or the code of its error. */
export async function outcomeOf(stage: Decoders, uri: string): Promise<string> {
  const verdict = await stage.decode({ file: { uri } });
  return verdict.kind === 'failed' ? verdict.error.code : verdict.kind;
}

/** The processes that a process started and that live, found in procfs. */
export function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** Those of them that decode. */
export const decodersOf = (pid: number) =>
  childrenOf(pid).filter((child) => /decoder/i.test(commandOf(child)));

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

export const isAlive = (pid: number) => commandOf(pid) !== '';
