import type { RunProgress } from '../producer/runs/runProgress.ts';
import { unavailable } from './httpRequest.ts';

/** The lines of an answer as they come, without empty ones. @throws GATEWAY_UNAVAILABLE where it breaks off */
export async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = '';
  for await (const text of textsOf(answer)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== '') yield line;
  }
  if (rest !== '') yield rest;
}

async function* textsOf(answer: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  try {
    for await (const bytes of answer.body ?? []) yield decoder.decode(bytes, { stream: true });
  } catch (error) {
    throw unavailable(new URL(answer.url).origin, error as Error);
  }
}

/** Server-sent events: their names and data. */
export async function* eventsOf(answer: Response): AsyncGenerator<{ name: string; data: RunProgress }> {
  let name = '';
  for await (const line of linesOf(answer)) {
    if (line.startsWith('event: ')) name = line.slice('event: '.length);
    else if (line.startsWith('data: ')) yield { name, data: JSON.parse(line.slice('data: '.length)) };
  }
}

/** What an answer says of a run beside its progress is left out. */
export function progressOf(answer: RunProgress): RunProgress {
  const { expected, waiting, active, classified, failed, skipped, duplicates, retrying } = answer;
  const { done, failures, state, paused, labelSet, complete, ended } = answer;
  const account = { expected, waiting, active, classified, failed, skipped, duplicates, retrying };
  return { ...account, done, failures, state, paused, labelSet, complete, ended };
}
