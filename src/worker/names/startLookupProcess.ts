import { fork } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { fileURLToPath } from 'node:url';
import type { LookupAnswer, LookupRequest } from './lookupMessages.ts';
import { NameError } from './nameError.ts';

/**
 * Threads of the process: for the look-ups at once, and for those that hang before it is given up (lookups.ts). libuv lets
 * getaddrinfo have half of its pool (`slow_work_thread_threshold` in its src/threadpool.c).
 */
const THREADS = 2 * 64;

export interface LookupProcess {
  /** Look-ups that were given up and still hold a thread. */
  readonly hanging: number;
  /** Addresses by getaddrinfo. @throws NameError also when there is no answer after `limitMs`; the look-up may hang on */
  ask(name: string, limitMs: number): Promise<LookupAddress[]>;
  /** Takes no more, and ends when nobody waits for it. */
  retire(): void;
}

interface Asked {
  name: string;
  limit: NodeJS.Timeout;
  resolve(addresses: LookupAddress[]): void;
  reject(error: NameError): void;
}

/** Starts a process that looks names up with getaddrinfo, as this one would, but whose threads may hang. */
export function startLookupProcess(): LookupProcess {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = fork(fileURLToPath(new URL('lookupProcess.js', import.meta.url)), {
    execArgv: [],
    env: { ...env, UV_THREADPOOL_SIZE: String(THREADS) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // Who waits for an answer has a timer, which keeps this process; an idle look-up process must not.
  child.unref();
  child.channel?.unref();
  const waiting = new Map<number, Asked>();
  const hanging = new Set<number>();
  let nextId = 0;
  let retired = false;

  const endIfDone = () => {
    if (retired && waiting.size === 0) child.kill('SIGKILL');
  };
  const take = (id: number): Asked | undefined => {
    const asked = waiting.get(id);
    clearTimeout(asked?.limit);
    waiting.delete(id);
    return asked;
  };

  child.on('message', (answer: LookupAnswer) => {
    hanging.delete(answer.id);
    const asked = take(answer.id);
    if ('addresses' in answer) asked?.resolve(answer.addresses);
    else asked?.reject(new NameError(asked.name, answer.code));
    endIfDone();
  });
  const lose = () => {
    retired = true;
    for (const [id, { name, reject }] of waiting) {
      take(id);
      reject(new NameError(name, 'EAI_FAIL'));
    }
  };
  child.once('exit', lose);
  child.on('error', lose);

  return {
    get hanging() {
      return retired ? Number.POSITIVE_INFINITY : hanging.size;
    },
    ask(name, limitMs) {
      const id = nextId++;
      return new Promise<LookupAddress[]>((resolve, reject) => {
        const giveUp = () => {
          take(id);
          hanging.add(id);
          reject(new NameError(name, 'ETIMEDOUT'));
          endIfDone();
        };
        waiting.set(id, { name, limit: setTimeout(giveUp, limitMs), resolve, reject });
        child.send({ id, name } satisfies LookupRequest, (error) => {
          if (error) lose();
        });
      });
    },
    retire() {
      retired = true;
      endIfDone();
    },
  };
}
