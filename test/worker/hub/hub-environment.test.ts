import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { hubEnvironment } from '../../../src/worker/hub/hubEnvironment.ts';

test('nothing set: the cache under the home folder, the public Hub, no token', () => {
  assert.deepEqual(hubEnvironment({ HOME: '/nobody' }), {
    cacheDir: resolve('/nobody/.cache/huggingface/hub'),
    offline: false,
    endpoint: 'https://huggingface.co',
  });
});

test('the cache is where Python looks for it, the nearer variable first', () => {
  const cacheDir = (env: Record<string, string>) => hubEnvironment({ HOME: '/nobody', ...env }).cacheDir;
  const xdg = { XDG_CACHE_HOME: '/xdg' };
  const home = { ...xdg, HF_HOME: '~/hf' };
  const legacy = { ...home, HUGGINGFACE_HUB_CACHE: '/legacy' };
  assert.equal(cacheDir(xdg), resolve('/xdg/huggingface/hub'));
  assert.equal(cacheDir(home), resolve('/nobody/hf/hub'));
  assert.equal(cacheDir(legacy), resolve('/legacy'));
  assert.equal(
    cacheDir({ ...legacy, HF_HUB_CACHE: '$DISK/$'.concat('{PART}/$GONE'), DISK: '/d', PART: 'p' }),
    '/d/p/$GONE',
  );
  assert.equal(cacheDir({ HF_HOME: '', HF_HUB_CACHE: '' }), resolve('/nobody/.cache/huggingface/hub'));
});

test('the token comes from the environment before the file, without its newline', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'clipfleet-token-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'token'), 'hf_file\n');
  await writeFile(join(folder, 'other'), 'hf_other\r\n');
  const token = (env: Record<string, string>) => hubEnvironment({ HOME: '/nobody', ...env }).token;
  assert.equal(token({ HF_HOME: folder }), 'hf_file');
  assert.equal(token({ HF_HOME: folder, HF_TOKEN_PATH: join(folder, 'other') }), 'hf_other');
  assert.equal(token({ HF_HOME: folder, HUGGING_FACE_HUB_TOKEN: 'hf_old' }), 'hf_old');
  assert.equal(token({ HF_HOME: folder, HUGGING_FACE_HUB_TOKEN: 'hf_old', HF_TOKEN: ' hf_new\n' }), 'hf_new');
  assert.equal(token({ HF_HOME: folder, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }), undefined);
});

test('offline is 1, yes, true or on in any case; the endpoint loses its last slash', () => {
  const offline = (HF_HUB_OFFLINE: string) => hubEnvironment({ HF_HUB_OFFLINE }).offline;
  assert.deepEqual(['1', 'yes', 'True', 'ON'].map(offline), [true, true, true, true]);
  assert.deepEqual(['0', 'no', '', '2'].map(offline), [false, false, false, false]);
  assert.equal(hubEnvironment({ TRANSFORMERS_OFFLINE: '1' }).offline, true);
  assert.equal(hubEnvironment({ HF_ENDPOINT: 'https://mirror/hf/' }).endpoint, 'https://mirror/hf');
});
