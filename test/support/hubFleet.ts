import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Fleet, repository, startFleet } from './fleet.ts';
import { type HubServer, startHub } from './hubServer.ts';

export const demoDir = 'models/demo';
export const siglipDir = 'test/golden/models/siglip';
export const clipDir = 'test/golden/models/clip';

export const small = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
];
export const towers = ['onnx/vision_model.onnx', 'onnx/text_model.onnx'];

/** The small files and the ones named, of a model directory of this repository. */
export async function modelFiles(dir: string, paths: readonly string[]): Promise<Record<string, Buffer>> {
  const read = async (path: string) => [path, await readFile(join(repository, dir, path))] as const;
  return Object.fromEntries(await Promise.all([...small, ...paths].map(read)));
}

/** Commands that know no Hub but the test's own, which serves `files`, and no caches but empty ones. */
export async function hubFleet(
  t: TestContext,
  files: Record<string, Buffer>,
  name?: string,
): Promise<{ fleet: Fleet; hub: HubServer }> {
  const hub = await startHub(t, files, name);
  const fleet = await startFleet(t);
  Object.assign(fleet.env, {
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: join(fleet.folder, 'huggingface'),
    HF_HUB_CACHE: join(fleet.folder, 'huggingface/hub'),
    HF_HUB_OFFLINE: '',
    XDG_CACHE_HOME: join(fleet.folder, 'cache'),
    NO_PROXY: '127.0.0.1',
  });
  return { fleet, hub };
}
