// The curl lines of docs/http.md, as they stand there, against a real gateway and worker.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { demoModel, pictures, repository, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';
import { neededProgram } from '../support/wider.ts';

const page = await readFile(join(repository, 'docs/http.md'), 'utf8');
const documented = 'localhost:8321';
const picture = 'https://example.org/owl.jpg';

/** The fenced blocks of a language; `` for those of none. */
const fenced = (language: string) =>
  [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text!);

test('every documented curl line does what the page says', async (t) => {
  neededProgram('curl');
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel, '--root', pictures);
  const secrets = join(fleet.folder, 'secrets.txt');
  await writeFile(secrets, `whsec_${randomBytes(32).toString('base64')}\n`);
  const { url } = await startGateway(fleet, '--webhook-secrets', secrets);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const blocks = fenced('').filter((text) => text.includes('curl '));
  assert.equal(
    blocks.join('').match(/\bcurl /g)?.length,
    page.replaceAll(/`[^`\n]+`/g, '').match(/\bcurl /g)?.length,
    'each curl line of the page is in a fenced block',
  );
  // The page's own picture is nowhere; a URL of ours has its bytes.
  const owl = `data:image/jpeg;base64,${(await readFile(join(pictures, 'owl.jpg'))).toString('base64')}`;
  const answers: string[] = [];
  for (const block of blocks) {
    assert.ok(block.includes(documented), block);
    const lines = block.replaceAll(documented, new URL(url).host).replaceAll(picture, owl);
    const script = `set -eo pipefail\ncurl() { command curl --fail-with-body --silent --show-error "$@"; }\n${lines}`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script], {
      cwd: repository,
      timeout: 60_000,
    });
    answers.push(stdout);
  }
  const [classified, embedded, run, told] = answers;
  assert.match(told!, /"run":/);
  const shown = JSON.parse(fenced('json')[0]!) as { label: string; score: number }[];
  const got = JSON.parse(classified!) as typeof shown;
  assert.deepEqual(
    got.map(({ label }) => label),
    shown.map(({ label }) => label),
  );
  for (const [i, { score }] of got.entries())
    assert.ok(Math.abs(score - shown[i]!.score) < 0.001, `${score}`);
  const { data } = JSON.parse(embedded!) as { data: { embedding: number[] }[] };
  const [text, image] = data.map(({ embedding }) => embedding);
  const cosine = text!.reduce((sum, x, i) => sum + x * image![i]!, 0);
  assert.equal(data.length, 2);
  assert.ok(cosine > 0.2, `${cosine}`);
  for (const said of ['"run":"animals"', 'event: end', '"id":"owl.jpg"', '"id":"second"', '"label":"fox"'])
    assert.ok(run!.includes(said), `${said} in ${run}`);
});
