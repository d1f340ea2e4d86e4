// The process that asks for addresses: startLookupProcess.ts starts it, and kills it when too many of its look-ups hang.
import { ADDRCONFIG, lookup } from 'node:dns';
import type { LookupAnswer, LookupRequest } from './lookupMessages.ts';

// As net.connect asks: IPv6 addresses only where this machine has one itself. Windows does not know the hint well.
const hints = process.platform === 'win32' ? 0 : ADDRCONFIG;

process.on('message', ({ id, name }: LookupRequest) => {
  lookup(name, { all: true, hints }, (error, addresses) => {
    const answer: LookupAnswer = error
      ? { id, code: error.code ?? 'EAI_FAIL', message: error.message }
      : { id, addresses };
    process.send?.(answer, () => {});
  });
});

// Ctrl-C reaches the whole group, while the worker finishes what it has.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// An exit would wait for the look-ups that hang.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
