import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './redisServer.ts';
import { temporaryFolder, until } from './support.ts';
import { neededProgram } from './wider.ts';

/** A Prometheus of the test's own, on the loopback, that scrapes the given ports every second. */
export interface Prometheus {
  /** The values of a query's series, as numbers. */
  query(expression: string): Promise<number[]>;
}

export async function startPrometheus(t: TestContext, ports: readonly number[]): Promise<Prometheus> {
  const folder = await temporaryFolder(t);
  const port = await freePort();
  const targets = ports.map((each) => `127.0.0.1:${each}`);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    scrape_configs: [{ job_name: 'clipfleet', static_configs: [{ targets }] }],
  };
  // JSON is YAML too.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn(
    neededProgram('prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null) await once(child, 'close');
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isReady, 'Prometheus is ready', 60_000);
  return {
    async query(expression) {
      const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return data.result.map(({ value }) => Number(value[1]));
    },
  };
}

/** What promtool has to say of metrics in the text format; empty when it finds nothing. */
export function promtoolFindings(text: string): string {
  const { stdout, stderr, status } = spawnSync(neededProgram('promtool'), ['check', 'metrics'], {
    ...{ input: text, encoding: 'utf8' },
  });
  return `${stdout}${stderr}${status === 0 ? '' : `exit ${status}`}`;
}
