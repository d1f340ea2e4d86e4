import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/log/log.ts';
import type { Config } from '../../shared/options/config.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { type CountEvent, countNothing } from '../../shared/telemetry/countedEvents.ts';
import type { HostNames } from '../names/hostNames.ts';
import { createHostRecord, type HostAnswer, type VisitHost, visitInTime } from './hostRecord.ts';
import type { Asker } from './hostState.ts';
import { createHostTurns, type HostTurns, type Turn } from './hostTurns.ts';
import { HostWait, whyNoAddress } from './hostWait.ts';

/** The settings of how hosts are asked. */
export const hostOptions = ['hostConcurrency', 'hostRate', 'hostPatienceMs', 'hostDownMs'] as const;

export interface HostGate {
  /** A turn for one request at the host (name and port). @throws HostWait, HOST_BUSY, HOST_DOWN, HOST_UNRESOLVED */
  enter(host: string, asker: Asker): Promise<Turn>;
  /**
   * Runs `work`, again and again while a host makes it wait no more than a second or two altogether. Nothing is held
   * meanwhile. A longer wait is thrown on: HostWait. Once the signal is aborted `work` is not waited with, and says itself
   * what becomes of it.
   */
  waitingInPlace<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Images that wait in place now. */
  waiting(): number;
  /** Gives back what this worker holds. */
  close(): Promise<void>;
}

/** What the gate asks of names before it lets an image to its host. */
export type GateNames = Pick<HostNames, 'standing' | 'nearAnswer'>;

interface HostGateOptions {
  visitHost: VisitHost;
  names: GateNames;
  patienceMs: number;
  /** How long no address may come for a host's name before its images fail. */
  unresolvedMs: number;
  log: Logger;
  countEvent?: CountEvent;
}

/** How long one image waits in place. A job is held up for about as long, then it makes room for others. */
const WAIT_IN_PLACE_MS = 2_000;

/** Lets this worker's images to their hosts, within what the fleet may ask of each. */
export function createHostGate({
  visitHost,
  names,
  patienceMs,
  unresolvedMs,
  log,
  countEvent = countNothing,
}: HostGateOptions): HostGate {
  const hosts = new Map<string, HostTurns>();
  let waiting = 0;

  const safely = visitInTime(visitHost, log);
  const onState = (host: string, { state, waitMs }: HostAnswer) => {
    countEvent('host_changes', state);
    if (state === 'open') log.info({ host }, 'host recovered');
    else log.warn({ host, waitMs }, state === 'asked' ? 'host throttles requests' : `host is ${state}`);
  };
  const onIdle = (host: string) => hosts.delete(host);

  function turnsAt(host: string): HostTurns {
    const known =
      hosts.get(host) ?? createHostTurns({ host, visitHost: safely, patienceMs, onState, onIdle });
    hosts.set(host, known);
    return known;
  }

  async function waitFor({ host, run }: HostWait, ms: number, signal?: AbortSignal): Promise<boolean> {
    waiting++;
    const near = names.nearAnswer(nameOf(host), ms, signal) ?? turnsAt(host).nearTurn(run, ms, signal);
    return near.finally(() => waiting--);
  }

  return {
    async enter(host, asker) {
      const standing = await names.standing(nameOf(host));
      if (standing.kind !== 'known') throw whyNoAddress(host, asker.run, standing, unresolvedMs);
      return turnsAt(host).enter(asker);
    },

    async waitingInPlace(work, signal) {
      let leftMs = WAIT_IN_PLACE_MS;
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof HostWait) || error.waitMs > leftMs) throw error;
          const from = performance.now();
          if (!(await waitFor(error, leftMs, signal))) throw error;
          leftMs -= performance.now() - from;
        }
      }
    },

    waiting: () => waiting,

    async close() {
      await Promise.all([...hosts.values()].map((turns) => turns.leave()));
    },
  };
}

/** The name of a host, of which there is an address to look up: without its port, and an IPv6 address without brackets. */
function nameOf(host: string): string {
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '');
}

/** A gate that shares its hosts with the other workers of the fleet. */
export function openHostGate(
  redis: Redis,
  keys: Keys,
  config: Config<(typeof hostOptions)[number]>,
  names: GateNames,
  log: Logger,
  countEvent?: CountEvent,
): HostGate {
  const limits = { concurrency: config.hostConcurrency, rate: config.hostRate, downMs: config.hostDownMs };
  const visitHost = createHostRecord(redis, keys, limits);
  const { hostPatienceMs: patienceMs, hostDownMs: unresolvedMs } = config;
  return createHostGate({
    visitHost,
    names,
    patienceMs,
    unresolvedMs,
    log,
    ...(countEvent && { countEvent }),
  });
}
