// Looks the names up that it is given, as a worker does and as this process itself would, and prints both.
import { ADDRCONFIG } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { createLookups } from '../../src/worker/names/lookups.ts';

const addresses = (found: Promise<{ address: string }[]>) =>
  found.then(
    (all) => all.map(({ address }) => address),
    (error: Error) => `${'isAbsent' in error ? (error.isAbsent ? 'absent' : 'unanswered') : error.message}`,
  );
const lookups = createLookups();
for (const name of process.argv.slice(2)) {
  const [own, theirs] = await Promise.all([
    addresses(lookup(name, { all: true, hints: ADDRCONFIG })),
    addresses(lookups.ask(name, 'new')),
  ]);
  process.stdout.write(`${JSON.stringify({ name, own, theirs })}\n`);
}
lookups.close();
