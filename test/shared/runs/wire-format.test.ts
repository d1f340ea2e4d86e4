import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIRTH } from '../../../src/shared/birth.ts';
import { chunkJobOptions, laneName } from '../../../src/shared/fleet/lanes.ts';
import { modelKey } from '../../../src/shared/fleet/modelIdentity.ts';
import {
  canonicalLabelSet,
  labelSetId,
  labelSetLimits,
  parseLabelSet,
} from '../../../src/shared/labels/labelSet.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { decodeRow } from '../../../src/shared/rows/rowCodec.ts';
import {
  CHUNK_IMAGES_MAX,
  CHUNK_NUMBER_MAX,
  encodeChunkJob,
  jobId,
  parseChunkJob,
  pieceOf,
} from '../../../src/shared/runs/chunkJob.ts';
import { announceScript, finishScript, openScript } from '../../../src/shared/runs/wireScripts.ts';
import { repository, startFleet } from '../../support/fleet.ts';

const page = readFileSync(join(repository, 'docs/wire-format.md'), 'utf8');
const example = readFileSync(join(repository, 'examples/producer.py'), 'utf8');
const keys = keysUnder('clipfleet');

/** The content of the page's one block whose fence says `language name`. */
function block(fence: string): string {
  const found = [...page.matchAll(new RegExp(`^\`\`\`${fence}\n(.*?)\n\`\`\`$`, 'gms'))];
  assert.equal(found.length, 1, `one block ${fence} in the page`);
  return found[0]![1]!;
}

function json<T = Record<string, string>>(name: string): T {
  return JSON.parse(block(`json ${name}`)) as T;
}

const id = block('text label-set-id');
const model = json('model');
const options = json('job-options');
const job = parseChunkJob({ id: options.jobId, data: json('job') });

test('the page names the keys that are used', () => {
  const [run, bucket] = ['night-7', 1];
  const named = [...page.matchAll(/^\| `(clipfleet:[^`]+)` \|/gm)].map(([, key]) => key);
  const used = [
    keys.labelSet(id),
    keys.models(),
    ...[keys.run, keys.chunks, keys.active, keys.parts, keys.announced, keys.warnings].map((key) => key(run)),
    ...[keys.rows, keys.fingerprints, keys.counts].map((key) => key(run, bucket)),
  ];
  assert.deepEqual(named, used);
});

test('its scripts are those that run, and the Python example has the same', () => {
  assert.equal(block('lua open'), openScript.trim());
  assert.equal(block('lua announce'), announceScript.trim());
  assert.equal(block('lua take-back'), finishScript.trim());
  assert.ok(example.includes(openScript) && example.includes(announceScript));
});

test('its label set is canonical and has the id it says', () => {
  const set = parseLabelSet(block('json label-set'), id);
  assert.equal(canonicalLabelSet(set), block('json label-set'));
  assert.equal(labelSetId(set), id);
});

test('its model has the key and the lanes it says', () => {
  const { identity } = model;
  const lanes = { bulk: laneName('bulk', identity!), interactive: laneName('interactive', identity!) };
  assert.deepEqual(model, { identity, key: modelKey(identity!), ...lanes });
});

test('its job is one a worker takes, with the options a producer gives', () => {
  assert.deepEqual(json('job'), encodeChunkJob(job.images));
  assert.deepEqual(options, chunkJobOptions(jobId(job.run, pieceOf(job), job.generation), 3));
});

test('its record of a run is what opening, announcing and sealing leave', async (t) => {
  const { redis, producer } = await startFleet(t);
  const { runs } = producer;
  await runs.open({ run: job.run, model: model.identity!, labelSet: id, lane: model.bulk! });
  await runs.announce(job.run, job.chunk, job.images.length);
  await runs.seal(job.run);
  const { birth, ...stored } = await redis.hgetall(keys.run(job.run));
  assert.match(birth!, BIRTH);
  const { createdAt, sealedAt } = json('run');
  assert.deepEqual({ ...stored, createdAt, sealedAt }, json('run'));
  assert.match(`${stored.createdAt} ${stored.sealedAt}`, /^(\d{4}-\d\d-\d\dT[\d:.]+Z ?){2}$/);
});

test('its rows are stored where and as it says', async (t) => {
  const { redis, producer } = await startFleet(t);
  const [fingerprint, bucket] = [block('text fingerprint'), 1];
  for (const name of ['row', 'failed-row']) {
    // One line for each field: its bytes in hex, then what they are.
    const hex = [...block(`text ${name}`).matchAll(/^((?:[0-9a-f]{2}(?: |$))+)/gm)].map(([, bytes]) => bytes);
    const stored = Buffer.from(hex.join('').replaceAll(' ', ''), 'hex');
    const row = decodeRow('owl.jpg', stored, [fingerprint]);
    const shown = { ...row, at: new Date(1_000 * row.at).toISOString() };
    assert.deepEqual(json(`${name}-content`), JSON.parse(JSON.stringify(shown)));
    await redis.del(keys.rows(job.run, bucket));
    await producer.store.putRows(job.run, [row]);
    assert.deepEqual(await redis.hgetBuffer(keys.rows(job.run, bucket), 'owl.jpg'), stored);
  }
  assert.deepEqual(await redis.hgetall(keys.fingerprints(job.run, bucket)), { [fingerprint]: '0' });
  assert.deepEqual(await redis.hgetall(keys.counts(job.run, bucket)), {
    classified: '1',
    'failed:IMAGE_EMPTY': '1',
  });
});

test('its limits are those of the code', () => {
  const limits = page.slice(page.indexOf('## Limits'));
  for (const limit of [CHUNK_IMAGES_MAX, CHUNK_NUMBER_MAX, ...Object.values(labelSetLimits)]) {
    assert.ok(limits.includes(`${limit.toLocaleString('en-US')} `), `the limit ${limit}`);
  }
});
