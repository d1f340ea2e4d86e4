import { join, resolve } from 'node:path';
import type { Config } from '../../shared/options/config.ts';

/** Where the log of what is done to a run's files goes: a new name each second. */
export function actionLogPath(
  action: 'sort' | 'tag',
  run: string,
  { log, dataDir }: Config<'log' | 'dataDir'>,
): string {
  if (log !== undefined) return resolve(log);
  const second = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  return join(resolve(dataDir), 'logs', `${action}-${run}-${second}.jsonl`);
}
