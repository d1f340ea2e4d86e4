import { stat } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import braces from 'braces';
import fastGlob from 'fast-glob';
import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { type InputFormat, inputFormatOf, isFileName } from './inputFormat.ts';

/** One thing to read. A path is normalised, with `/`. */
export type Input =
  | { kind: 'url'; url: string }
  | { kind: 'file'; path: string }
  | { kind: 'folder'; path: string }
  /** A list or an archive, at a path or URL. */
  | { kind: 'source'; location: string; format: InputFormat }
  /** The objects of a bucket whose uri begins so. */
  | { kind: 'objects'; prefix: string }
  | { kind: 'stdin' };

/** All matches of a glob, and all names that braces make, are in memory; a folder's files are not. */
const namesMax = 1_000_000;

const faultsMax = 20;

/** What Node makes of such a name is no name of a file. */
const notUtf8 = '; its name is not UTF-8: give its folder, which reads such names';

/** Looks at all that was typed, so that its faults come together and before anything is enqueued. Throws USAGE with them. */
export async function resolveInputs(
  typed: string[],
  cwd: string,
  check: (input: Input) => void | Promise<void>,
): Promise<Input[]> {
  const inputs: Input[] = [];
  const faults: string[] = [];
  const gather = async (work: () => void | Promise<void>) => {
    try {
      await work();
    } catch (error) {
      faults.push(asClipfleetError(error, 'USAGE').message);
    }
  };
  for (const input of typed) {
    await gather(async () => {
      for (const name of await withoutBraces(input, cwd)) {
        await gather(async () => {
          for (const found of await resolveInput(name, cwd)) {
            await check(found);
            inputs.push(found);
          }
        });
      }
    });
  }
  if (faults.length === 0) return inputs;
  const more = faults.length > faultsMax ? [`and ${faults.length - faultsMax} more.`] : [];
  throw new ClipfleetError('USAGE', [...faults.slice(0, faultsMax), ...more].join('\n'));
}

async function resolveInput(input: string, cwd: string): Promise<Input[]> {
  if (input === '-') return [{ kind: 'stdin' }];
  const scheme = schemeOf(input) ?? '';
  if (scheme === 'data') return [{ kind: 'url', url: input }];
  if (scheme === 'http' || scheme === 'https') {
    if (!URL.canParse(input)) throw missing(input, 'it cannot be parsed as a URL');
    return [sourceAt(input) ?? { kind: 'url', url: input }];
  }
  if (scheme === 's3') {
    const isFile = isFileName(input) && !input.endsWith('/');
    return [isFile ? (sourceAt(input) ?? { kind: 'url', url: input }) : { kind: 'objects', prefix: input }];
  }
  if (input === '') throw missing('""', 'it is empty');
  const paths = (await exists(input, cwd)) ? [normalised(input)] : await expandGlob(input, cwd);
  return Promise.all(paths.map((path) => inputAt(path, cwd)));
}

/** A glob's match is what it would be if it were typed, as when the shell expands it. */
async function inputAt(path: string, cwd: string): Promise<Input> {
  const stats = await stat(resolve(cwd, path)).catch(() => undefined);
  if (stats?.isDirectory()) return { kind: 'folder', path };
  return sourceAt(path) ?? { kind: 'file', path };
}

function sourceAt(location: string): Input | undefined {
  const format = inputFormatOf(location);
  return format && { kind: 'source', location, format };
}

async function exists(input: string, cwd: string): Promise<boolean> {
  try {
    await stat(resolve(cwd, input));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw missing(input, String(code));
  }
}

/**
 * `{000..150}` and `{a,b}` as a shell expands them: before it looks for files, so that a shard that is not there is missed.
 * A path that exists as it is written is left alone, and so are data: URLs.
 */
async function withoutBraces(input: string, cwd: string): Promise<string[]> {
  const groups = input.match(/\{[^{}]*(?:,|\.\.)[^{}]*\}/g);
  if (groups === null || schemeOf(input) === 'data') return [input];
  if (schemeOf(input) === undefined && (await exists(input, cwd))) return [input];
  const count = groups.reduce((product, group) => product * namesOf(group), 1);
  if (count > namesMax) throw missing(input, `its braces make ${count} names, more than ${namesMax}`);
  return braces(input, { expand: true, rangeLimit: namesMax });
}

function namesOf(group: string): number {
  const [, from, to] = /^\{(-?\d+)\.\.(-?\d+)/.exec(group) ?? [];
  return to === undefined ? group.split(',').length : Math.abs(Number(to) - Number(from)) + 1;
}

/** As a shell with `**` does it: hidden names and folders behind links need to be written out. */
async function expandGlob(pattern: string, cwd: string): Promise<string[]> {
  if (!fastGlob.isDynamicPattern(pattern)) throw missing(pattern, 'there is no such file');
  const matches = new Set<string>();
  const stream = fastGlob.stream(pattern, {
    cwd,
    onlyFiles: false,
    dot: false,
    followSymbolicLinks: false,
    caseSensitiveMatch: true,
    suppressErrors: false,
  });
  for await (const match of stream) {
    if (String(match).includes('\uFFFD') && !(await exists(String(match), cwd)))
      throw missing(String(match), 'a glob cannot name it');
    matches.add(normalised(String(match)));
    if (matches.size > namesMax) {
      throw missing(pattern, `it matches more than ${namesMax} files: give their folder instead`);
    }
  }
  if (matches.size === 0) throw missing(pattern, 'no file matches it');
  return [...matches].sort();
}

/** `./pictures/` and `pictures` are one name. */
function normalised(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function missing(input: string, why: string): ClipfleetError {
  const remedy = input.includes('\uFFFD') ? notUtf8 : '';
  const shown = input.length > 200 ? `${input.slice(0, 200)}…` : input;
  return new ClipfleetError(
    'USAGE',
    `${shown}: expected a file, folder, glob, list, archive, -, or an http(s), s3: or data: URL, but ${why}${remedy}.`,
  );
}
