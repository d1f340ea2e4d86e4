import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isLoopback } from '../../gateway/access/access.ts';
import { openGateway, workersUrl } from '../../gateway/gateway.ts';
import { type ApiKeys, parseApiKeys } from '../../gateway/keys/apiKeys.ts';
import { openSpool } from '../../gateway/uploads/spool.ts';
import { parseWebhookSecrets } from '../../gateway/webhooks/signature.ts';
import type { WebhookSender } from '../../gateway/webhooks/startWebhooks.ts';
import { createGuardedPost } from '../../guardedPost.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions, openContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt } from '../terminal/interrupt.ts';

export const serveCommand = createCommand({
  examples: [
    'clipfleet serve',
    'clipfleet serve --host 0.0.0.0 --port 8080 --api-keys keys.txt',
    'curl localhost:8321/v1/classify -F image=@owl.jpg -F candidate_labels=fox,bear,owl',
  ],
  options: [
    'host',
    'port',
    'apiKeys',
    'trustedHost',
    'corsOrigin',
    'gateway',
    'spool',
    'spoolBytesMax',
    'bodyBytesMax',
    'requestsPerMinute',
    'interactiveWaitingMax',
    'answerTimeoutMs',
    'answerKeptMs',
    'webhookSecrets',
    'allowPrivateAddresses',
    'userAgent',
    'filesDir',
    'filesBytesMax',
    'fileBytesMax',
    'filesKeptMs',
    'graceMs',
    ...contextOptions,
  ] as const,
  async run(_, config) {
    const { host, port, apiKeys, trustedHost: trustedHosts = [], interactiveWaitingMax: waitingMax } = config;
    const keys = await keysOf(apiKeys, host, trustedHosts);
    const filesDir = resolve(config.filesDir ?? join(config.dataDir, 'files'));
    const spool = await openSpool({ folder: resolve(config.spool), bytesMax: config.spoolBytesMax });
    const webhooks = await webhooksOf(config);
    const context = await openContext(config);
    const { producer, log } = context;
    try {
      const gateway = await openGateway({
        ...config,
        ...context,
        keys,
        trustedHosts,
        waitingMax,
        filesDir,
        webhooks,
        spool,
      });
      const interrupt = onInterrupt('finishing the requests in progress.', config);
      const url = await gateway
        .listen({ host, port })
        .catch((error: Error) => cannotListen(host, port, error));
      const known = apiKeys ?? noKeysSay(trustedHosts);
      log.info({ url, keys: known, workersReadAt: workersUrl(gateway, config) }, 'gateway ready');
      await interrupt.interrupted;
      await gateway.close();
      interrupt.stop();
      log.info({}, 'gateway stopped');
      return exitCodes.classified;
    } finally {
      spool.close();
      await webhooks?.close();
      await producer.close();
      await context.close();
    }
  },
});

/** @throws USAGE for a file that holds no keys, and for an address of others without a file */
async function keysOf(
  path: string | undefined,
  host: string,
  trustedHosts: readonly string[],
): Promise<ApiKeys | undefined> {
  if (path !== undefined) {
    const text = await readFile(path, 'utf8').catch((cause: Error) => {
      throw new ClipfleetError('USAGE', `Expected a file of API keys at ${path}, got: ${cause.message}.`);
    });
    return parseApiKeys(text);
  }
  if (isLoopback(host) || trustedHosts.length > 0) return undefined;
  const message = `Expected --api-keys, because ${host} is reached by others: make a file with clipfleet key.`;
  throw new ClipfleetError('USAGE', message);
}

function noKeysSay(trustedHosts: readonly string[]): string {
  if (trustedHosts.length === 0) return 'none: only this machine is served';
  return `none: whoever asks for ${trustedHosts.join(' or ')} is served`;
}

/** A receiver that takes longer has most likely failed. */
const WEBHOOK_TIMEOUT_MS = 15_000;

/** @throws USAGE for a file that holds no secrets */
async function webhooksOf(config: {
  webhookSecrets?: string | undefined;
  allowPrivateAddresses: boolean;
  userAgent: string;
}): Promise<(WebhookSender & { close(): Promise<void> }) | undefined> {
  const { webhookSecrets: path } = config;
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new ClipfleetError(
      'USAGE',
      `Expected a file of webhook secrets at ${path}, got: ${cause.message}.`,
    );
  });
  const secrets = parseWebhookSecrets(text);
  return { secrets, ...createGuardedPost({ ...config, timeoutMs: WEBHOOK_TIMEOUT_MS }) };
}

function cannotListen(host: string, port: number, cause: Error): never {
  const message = `Expected to listen on ${host}, port ${port}, got: ${cause.message}. Choose another with --port.`;
  throw new ClipfleetError('PORT_UNAVAILABLE', message, { cause });
}
