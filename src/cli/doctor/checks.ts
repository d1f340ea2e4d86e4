import { resolve } from 'node:path';
import { createProducer } from '../../producer/producer.ts';
import { createLog } from '../../shared/log/log.ts';
import type { Config } from '../../shared/options/config.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { findRedisServer, redisRemedy } from '../../shared/redis/redisBinary.ts';
import { openStore } from '../../shared/store/openStore.ts';
import { hubEnvironment } from '../../worker/hub/hubEnvironment.ts';
import { isHubName, type ModelConfig } from '../../worker/model/loadModel.ts';
import { type ContextConfig, mayHaveRuns, openRedis } from '../setup/context.ts';
import { lookAtDevices } from './deviceChecks.ts';
import { type Examination, type Finding, fault, faultOf, ok } from './finding.ts';
import { decodeFindings, folderFinding, limitFindings, temporaryFolder } from './machineChecks.ts';
import { hubFindings, lookAtModel, type ModelSeen, settingsFindings } from './modelChecks.ts';
import { loadFindings, redisFindings } from './redisChecks.ts';

export type DoctorConfig = ContextConfig &
  ModelConfig &
  Config<'batchSize' | 'decoders' | 'decodeMemoryMax' | 'userAgent'>;

/** Checks of what answers at once, or hangs. */
const LIMIT_MS = 15_000;
/** A model's files are hashed, which takes seconds a gigabyte; and a GPU's libraries are loaded. */
const SLOW_LIMIT_MS = 120_000;

/** Everything the doctor looks at, in the order it is shown. What one finds, later ones use. */
export function checksOf(config: DoctorConfig): Examination[] {
  let device = 'cpu';
  let model: ModelSeen['files'];
  return [
    { group: 'Redis', limitMs: LIMIT_MS, look: () => redisChecks(config) },
    {
      group: 'Devices',
      limitMs: SLOW_LIMIT_MS,
      async look() {
        const seen = await lookAtDevices(config.device);
        device = seen.device;
        return seen.findings;
      },
    },
    {
      group: 'Model',
      limitMs: SLOW_LIMIT_MS,
      async look() {
        const seen = await lookAtModel(config);
        model = seen.files;
        return seen.findings;
      },
    },
    {
      group: 'Hub',
      limitMs: LIMIT_MS,
      look: (signal) => hubFindings(config, model !== undefined, signal),
    },
    { group: 'Images', limitMs: LIMIT_MS, look: () => decodeFindings(config) },
    { group: 'Machine', limitMs: LIMIT_MS, look: () => machineChecks(config, device, model) },
  ];
}

async function redisChecks(config: DoctorConfig): Promise<Finding[]> {
  if (!mayHaveRuns(config)) return [localRedis(config)];
  const { redis, close, onError } = await openRedis(config, createLog('silent'));
  const { prefix } = config;
  const keys = keysUnder(prefix);
  try {
    const findings = await redisFindings(redis, config.redisTimeoutMs);
    const log = createLog('silent');
    const store = await openStore(config.store, { redis, keys, log }).catch(
      (error: unknown) => error as Error,
    );
    if (store instanceof Error) return [...findings, faultOf('store', store)];
    try {
      const producer = createProducer({ redis, prefix, store, onError });
      const where = config.store === undefined ? 'in Redis, beside the queue' : `${store.name} answers`;
      return [...findings, ok('store', where), ...(await loadFindings(redis, prefix, producer))];
    } finally {
      await store.close();
    }
  } finally {
    await close();
  }
}

/** No REDIS_URL, and no command has run a server yet: the first will. */
function localRedis({ dataDir }: DoctorConfig): Finding {
  const program = findRedisServer();
  if (program === undefined)
    return fault('server', 'REDIS_URL is not set, and there is no redis-server', `${redisRemedy}.`);
  return ok(
    'server',
    `REDIS_URL is not set: commands start ${program} themselves, with its data in ${resolve(dataDir)}`,
  );
}

async function machineChecks(
  { cacheDir, model: name, decodeMemoryMax, batchSize, threads, decoders }: DoctorConfig,
  device: string,
  model: ModelSeen['files'],
): Promise<Finding[]> {
  const { findings, settings } = await settingsFindings({
    ...{ fingerprint: model?.fingerprint ?? '', device, cacheDir },
    given: { batchSize, threads, decoders },
  });
  const hubCache = hubEnvironment(process.env).cacheDir;
  return [
    ...findings,
    ...limitFindings({ decoders: settings.decoders, decodeMemoryMax }),
    await folderFinding('cache', cacheDir, 'Make it writable or free, or give another with --cache-dir.'),
    ...(isHubName(name) && model === undefined
      ? [
          await folderFinding(
            'Hub cache',
            hubCache,
            'Make it writable or free, or give another with HF_HOME.',
          ),
        ]
      : []),
    await folderFinding(
      'temporary',
      temporaryFolder(),
      'Make it writable or free, or give another with TMPDIR.',
    ),
  ];
}
