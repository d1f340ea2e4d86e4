import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { modelKey } from '../../src/shared/fleet/modelIdentity.ts';
import { repository } from './fleet.ts';

/** What version 1 wrote: see test/wire/README.md. */
export const keptFolder = join(repository, 'test/wire/v1');

export function readKept(name: string): string {
  return readFileSync(join(keptFolder, name), 'utf8');
}

export function parseKept<T>(name: string): T {
  return JSON.parse(readKept(name)) as T;
}

/** A kept text in which another model stands wherever one did: by its identity, and by its name in keys. */
export function withModel(text: string, from: string, to: string): string {
  return text.replaceAll(from, to).replaceAll(modelKey(from), modelKey(to));
}

type Argument = string | { hex: string };

/** Fills an empty Redis with what the commands of a kept text say. */
export async function replayKept(redis: Redis, commands: string): Promise<void> {
  for (const line of commands.trimEnd().split('\n')) {
    const [command, ...args] = JSON.parse(line) as [string, ...Argument[]];
    const bytes = args.map((arg) => (typeof arg === 'string' ? arg : Buffer.from(arg.hex, 'hex')));
    await redis.call(command, ...bytes);
  }
}

/**
 * Of `actual` what `expected` speaks of, for a comparison that lets later versions say more. Arrays keep all
 * of their elements.
 */
export function partOf(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.map((value, i) => partOf(value, expected[i]));
  }
  if (!isObject(actual) || !isObject(expected)) return actual;
  const keys = Object.keys(expected).filter((key) => actual[key] !== undefined);
  return Object.fromEntries(keys.map((key) => [key, partOf(actual[key], expected[key])]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
