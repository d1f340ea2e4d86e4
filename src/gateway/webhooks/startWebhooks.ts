import { setTimeout as delay } from 'node:timers/promises';
import type { Producer } from '../../producer/producer.ts';
import { createBackOff } from '../../shared/backOff.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import { together } from '../../shared/together.ts';
import { untilAborted } from '../../shared/untilAborted.ts';
import { withoutSecrets } from '../../shared/withoutSecrets.ts';
import { webhookHeaders } from './signature.ts';
import type { WebhookRecord, WebhookRecords } from './webhookRecords.ts';

/** What sends webhooks: keys of their signatures, and a way that is guarded as an image's is. */
export interface WebhookSender {
  secrets: readonly Buffer[];
  /** Resolves to the status of the answer. */
  post(url: string, headers: Record<string, string>, body: string): Promise<number>;
  /** Whether nothing is sent there, as far as the URL alone says. */
  refuses(url: string): boolean;
}

export interface WebhooksOptions {
  records: WebhookRecords;
  producer: Pick<Producer, 'runs' | 'describe' | 'progress'>;
  sender: WebhookSender;
  log: Logger;
  /** How long to wait after each try that failed, in milliseconds; after the last the receiver is given up. Of Standard Webhooks when absent. */
  pausesMs?: readonly number[];
  /** How often a run that goes on is looked at, in milliseconds. */
  lookMs?: number;
  /** How long a try may take before another gateway makes it, in milliseconds. */
  claimMs?: number;
}

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
/** Eight tries in a day and a half. */
const PAUSES_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 20 * HOUR];
const LOOK_MS = 2 * SECOND;
/** Longer than a request may take. */
const CLAIM_MS = 30 * SECOND;
const AT_ONCE = 64;
const ERROR_CHARS_MAX = 300;
/** The receiver wants no more. */
const GONE = 410;

/** Tells the ends of runs, together with the other gateways: each by one of them, and by another if that one dies. */
export function startWebhooks(options: WebhooksOptions): { close(): Promise<void> } {
  const { records, producer, sender, log } = options;
  const { pausesMs = PAUSES_MS, lookMs = LOOK_MS, claimMs = CLAIM_MS } = options;
  const closing = new AbortController();
  const whatFailed = () => 'webhooks';
  const backOff = createBackOff({ log, whatFailed, signal: closing.signal });

  async function lookAt(run: string): Promise<void> {
    const webhook = await records.get(run);
    const record = await producer.runs.get(run);
    if (!webhook || record?.birth !== webhook.birth) {
      log.warn({ run }, 'webhook dropped: its run is gone');
      return records.done(run);
    }
    if (webhook.state !== 'waiting') return records.done(run);
    if (record.state === 'complete' || record.state === 'cancelled') return attempt(run, webhook);
    await records.due(run, lookMs);
  }

  /** What no other look would change ends here; a fault of the surroundings is thrown, and the run is due again. */
  async function lookAtOrDrop(run: string): Promise<void> {
    try {
      await lookAt(run);
    } catch (error) {
      if (!(error instanceof ClipfleetError) || error.retry) throw error;
      await records.tell(run, { state: 'given up', error: error.message.slice(0, ERROR_CHARS_MAX) });
      log.warn({ run, err: error }, 'webhook given up');
      await records.done(run);
    }
  }

  async function attempt(run: string, webhook: WebhookRecord): Promise<void> {
    const { url, birth, round, endedAt = new Date().toISOString() } = webhook;
    const attempts = webhook.attempts + 1;
    await records.tell(run, { attempts, endedAt });
    const id = round === 0 ? `${run}-${birth}` : `${run}-${birth}-${round}`;
    const body = JSON.stringify(await eventOf(producer, run, endedAt));
    const headers = webhookHeaders(sender.secrets, { id, at: Math.floor(Date.now() / 1_000), body });
    const came = await sender.post(url, headers, body).catch((error: Error) => error);
    const about = { run, webhook: new URL(url).origin, attempts };
    if (typeof came === 'number' && came >= 200 && came < 300) {
      await records.tell(run, { state: 'delivered', error: '' });
      log.info(about, 'webhook delivered');
      return records.done(run);
    }
    const why = typeof came === 'number' ? `Expected a status of 200 to 299, got ${came}.` : came.message;
    const error = withoutSecrets(why).slice(0, ERROR_CHARS_MAX);
    const pauseMs = came === GONE ? undefined : pausesMs[attempts - 1];
    if (pauseMs === undefined) {
      await records.tell(run, { state: 'given up', error });
      log.warn({ ...about, why: error }, 'webhook given up');
      return records.done(run);
    }
    await records.tell(run, { error });
    // Up to a fifth less by chance, so that those that failed together do not come back together.
    await records.due(run, pauseMs * (1 - Math.random() / 5));
    log.warn({ ...about, why: error, nextInMs: pauseMs }, 'webhook not delivered');
  }

  async function lookOn(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const due = await records.claim(AT_ONCE, claimMs);
        await untilAborted(closing.signal, () => together(due, lookAtOrDrop));
        backOff.recovered();
        if (due.length === AT_ONCE) continue;
        await delay(lookMs / 2, undefined, { signal: closing.signal, ref: false }).catch(() => {});
      } catch (error) {
        if (!closing.signal.aborted) await backOff.fault(error);
      }
    }
  }

  const looking = lookOn();
  return {
    async close() {
      closing.abort();
      await looking;
    },
  };
}

/** What is told: the end of a run with its account. The same for each try, unless the run was changed since. */
async function eventOf(producer: WebhooksOptions['producer'], run: string, endedAt: string) {
  const [{ model, labelSet, source }, progress] = await Promise.all([
    producer.describe(run),
    producer.progress(run),
  ]);
  const { state, expected, classified, failed, skipped, failures } = progress;
  const account = { expected, classified, failed, skipped, failures };
  return {
    type: `run.${state}`,
    timestamp: endedAt,
    data: { run, state, model, labelSet, source, ...account },
  };
}
