// What the wider tests need, as `npm run setup -- --all` brings it. What is missing is an error, never a skip.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../src/shared/redis/redisBinary.ts';
import { repository } from './fleet.ts';

const remedy = 'run `npm run setup -- --all` first';

/** The path of a Python that can import what `test/support/requirements.txt` names. */
export function venvPython(): string {
  const path = join(repository, '.venv/bin/python');
  assert.ok(existsSync(path), `Expected ${path}: ${remedy}.`);
  return path;
}

/** The path of a program of Debian, by its name or by the folder that it lies in. */
export function neededProgram(name: string): string {
  const path = name.startsWith('/') ? (existsSync(name) ? name : undefined) : findProgram([name]);
  assert.ok(path, `Expected the program ${name}: ${remedy}.`);
  return path;
}
