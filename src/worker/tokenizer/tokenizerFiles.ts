import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { type FollowedTokenizer, followClass } from './tokenizerClasses.ts';
import {
  bertTokenizer,
  clipTokenizer,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizerPipelines.ts';

/** Where a model's tokenizer is; plain data, so that it can be sent to a thread. */
export interface TokenizerPlace {
  /** The folder with `tokenizer.json`, or with `vocab.json` and `merges.txt`, or with `vocab.txt`. */
  dir: string;
  /** The `model_type` of `config.json`: it decides where the tokenizer's own files say nothing. */
  modelType: string;
}

/**
 * A tokenizer from its files: `tokenizer.json`, or what came before it, a CLIP's `vocab.json` with `merges.txt` and a BERT's `vocab.txt`.
 * `tokenizer_config.json` and `special_tokens_map.json` may be absent.
 *
 * @throws MODEL_INVALID for files that are missing or broken, MODEL_UNSUPPORTED for a class that is not known
 */
export async function readTokenizer({ dir, modelType }: TokenizerPlace): Promise<FollowedTokenizer> {
  const special = await readOptional(join(dir, 'special_tokens_map.json'));
  const config = withPlainTokens({ ...special, ...(await readOptional(join(dir, 'tokenizer_config.json'))) });
  return followClass(await tokenizerJson(dir, config), config, modelType);
}

async function tokenizerJson(dir: string, config: TokenizerConfig): Promise<TokenizerJson> {
  const path = join(dir, 'tokenizer.json');
  if (existsSync(path)) return (await readJson(path)) as unknown as TokenizerJson;
  if (existsSync(join(dir, 'vocab.json'))) {
    const vocab = (await readJson(join(dir, 'vocab.json'))) as Record<string, number>;
    const merges = (await readText(join(dir, 'merges.txt'))).split(/\r?\n/);
    // The first line says the file's version; a line that is a pair has two parts.
    return clipTokenizer(
      vocab,
      merges.filter((line) => !line.startsWith('#version') && line.includes(' ')),
    );
  }
  if (existsSync(join(dir, 'vocab.txt'))) {
    const words = (await readText(join(dir, 'vocab.txt'))).split(/\r?\n/);
    if (words.at(-1) === '') words.pop();
    return bertTokenizer(Object.fromEntries(words.map((word, id) => [word, id])), config);
  }
  throw new ClipfleetError(
    'MODEL_INVALID',
    `Expected tokenizer.json, or vocab.json and merges.txt, or vocab.txt in ${dir}, got none of them.`,
  );
}

/** Tokens are written as they are, or with how they are matched: `{"content": "<pad>", "lstrip": false}`. */
function withPlainTokens(config: TokenizerConfig): TokenizerConfig {
  const plain = Object.entries(config).map(([key, value]) => {
    const isToken =
      key.endsWith('_token') && typeof value === 'object' && value !== null && 'content' in value;
    return [key, isToken ? value.content : value];
  });
  return Object.fromEntries(plain.filter(([, value]) => value !== null));
}

async function readOptional(path: string): Promise<Record<string, unknown>> {
  return existsSync(path) ? readJson(path) : {};
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readText(path)) as Record<string, unknown>;
  } catch (error) {
    throw invalid(path, error);
  }
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw invalid(path, error);
  });
}

function invalid(path: string, error: unknown): ClipfleetError {
  if (error instanceof ClipfleetError) return error;
  return new ClipfleetError(
    'MODEL_INVALID',
    `Expected a readable ${path}, got: ${(error as Error).message}`,
    { cause: error },
  );
}
