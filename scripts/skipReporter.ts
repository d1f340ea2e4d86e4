// Says at the end which tests were skipped, and why. Where `CI` is set, a skip that is not in the list below is a failure.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Reasons that a test may give on a machine of continuous integration. */
const allowed = [
  // Photographs and tensors that are not part of the project.
  /is not on this machine$/,
  // A mount and a network namespace of one's own need rights that a container may not have.
  /^this machine allows no name server/,
  // Tests of Linux' own ways, on another operating system.
  / in \/proc$/,
];

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Event {
  type: string;
  data: { name: string; file?: string; skip?: string | boolean };
}

export default async function* skipReporter(events: AsyncIterable<Event>) {
  let isFirst = true;
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined || data.skip === false) continue;
    const reason = typeof data.skip === 'string' ? data.skip : '';
    const isAllowed = allowed.some((pattern) => pattern.test(reason));
    if (isFirst) yield 'Skipped:\n';
    isFirst = false;
    const file = relative(root, data.file ?? '');
    yield `  ${file}: ${data.name} (${reason || 'no reason given'})${isAllowed ? '' : ' NOT IN THE LIST OF ALLOWED SKIPS'}\n`;
    if (!isAllowed && process.env.CI) process.exitCode = 1;
  }
}
