import type { Redis } from 'ioredis';
import type { Producer } from '../../producer/producer.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { startWebhooks, type WebhookSender } from './startWebhooks.ts';
import { createWebhookRecords } from './webhookRecords.ts';

export interface OpenWebhooksOptions {
  redis: Redis;
  prefix: string;
  producer: Producer;
  /** None where the gateway has no secret to sign with. */
  webhooks: WebhookSender | undefined;
  log: Logger;
}

/** Where a run's end is told, as its status shows it. */
export interface ShownWebhook {
  /** Without path and query, which may be secret. */
  to: string;
  state: 'waiting' | 'delivered' | 'given up';
  attempts: number;
  error?: string;
}

/** The webhooks of a gateway. */
export interface Webhooks {
  /** @throws REQUEST_INVALID for a URL that nothing is sent to */
  check(url: string): void;
  add(run: string, birth: string, url: string): Promise<void>;
  /** The run goes on, so that it ends once more. */
  again(run: string): Promise<void>;
  shown(run: string): Promise<ShownWebhook | undefined>;
  close(): Promise<void>;
}

export function openWebhooks({ redis, prefix, producer, webhooks, log }: OpenWebhooksOptions): Webhooks {
  const records = createWebhookRecords(redis, keysUnder(prefix));
  const telling = webhooks && startWebhooks({ records, producer, sender: webhooks, log });
  return {
    check(url) {
      if (!webhooks)
        throw invalid('Expected no webhook, because the gateway was started without --webhook-secrets.');
      const { host, username, password } = new URL(url);
      if (username !== '' || password !== '')
        throw invalid('Expected a webhook without a user name or password.');
      if (webhooks.refuses(url))
        throw invalid(`Expected a webhook at a public address, but ${host} is none.`);
    },
    add: records.add,
    again: records.again,
    async shown(run) {
      const webhook = await records.get(run);
      if (!webhook) return undefined;
      const { url, state, attempts, error } = webhook;
      return { to: new URL(url).origin, state, attempts, ...(error && { error }) };
    },
    async close() {
      await telling?.close();
    },
  };
}

function invalid(message: string): ClipfleetError {
  return new ClipfleetError('REQUEST_INVALID', message);
}
