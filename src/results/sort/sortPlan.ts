import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nameOfBytes, pathBytes } from '../../shared/refs/byteNames.ts';
import type { PublicRow } from '../../shared/rows/row.ts';
import { labeledFile } from '../actions/labeledFile.ts';
import { bestOf } from '../rows/exportedRun.ts';
import { createOmissions } from '../rows/localImage.ts';
import { compareFiles, linkTarget } from './compareFiles.ts';
import { foldedName, numberedNames } from './freeNames.ts';
import type { FileStep, SortBy, SortStep } from './sortStep.ts';

export interface SortRules {
  by: SortBy;
  /** Where the folders of labels are, absolute. */
  into: string;
  /** Folder for images that no label is sure of, absolute; they stay where they are when absent. */
  unsure?: string | undefined;
  /** The folder's name of each label. */
  folders: ReadonlyMap<string, string>;
  isSure: (row: PublicRow) => boolean;
  /** Directories of named roots on this machine, by name. */
  roots: ReadonlyMap<string, string>;
}

/** What is to be done, and what is not. */
export interface SortPlan {
  steps(rows: AsyncIterable<PublicRow>): AsyncGenerator<SortStep>;
  /** Files for each folder, by its path. */
  files: ReadonlyMap<string, number>;
  /** Files that lie in their folder already. */
  inPlace(): number;
  /** Files whose name was taken, and that get a number. */
  numbered(): number;
  /** Sentences about the images that are passed over. */
  leftOut(): string[];
}

/** Plans one step after the other. Only names, and which files were planned, are held in memory. */
export function createSortPlan(rules: SortRules): SortPlan {
  const files = new Map<string, number>();
  const omissions = createOmissions();
  const planned = new Set<string>();
  const taken = createTakenNames();
  let [inPlace, numbered] = [0, 0];

  async function targetOf(row: PublicRow): Promise<{ from: string; folder: string } | { leftOut: string }> {
    const file = labeledFile(row, rules.roots);
    if ('isNone' in file) return { leftOut: file.isNone };
    const label = rules.isSure(row) ? bestOf(row)?.label : undefined;
    const folder = label === undefined ? rules.unsure : join(rules.into, rules.folders.get(label)!);
    if (folder === undefined)
      return { leftOut: 'images of which no label is sure (--unsure DIR takes them)' };
    const from = file.path;
    if (planned.has(from)) return { leftOut: 'images whose file another image names as well' };
    planned.add(from);
    const fault = await faultOf(from, rules.by);
    return fault === undefined ? { from, folder } : { leftOut: fault };
  }

  async function* stepsOf(row: PublicRow): AsyncGenerator<SortStep> {
    const target = await targetOf(row);
    if ('leftOut' in target) return omissions.add(target.leftOut);
    const { from, folder } = target;
    for (const made of await taken.open(folder)) yield { folder: made };
    for (const name of numberedNames(basename(from))) {
      const step: FileStep = { by: rules.by, from, to: join(folder, name) };
      if (taken.take(folder, name)) {
        files.set(folder, (files.get(folder) ?? 0) + 1);
        if (name !== basename(from)) numbered++;
        yield step;
        return;
      }
      if (await isDone(step)) {
        inPlace++;
        return;
      }
    }
  }

  return {
    files,
    inPlace: () => inPlace,
    numbered: () => numbered,
    leftOut: () => omissions.sentences(),
    async *steps(rows) {
      for await (const row of rows) yield* stepsOf(row);
    },
  };
}

/** Why a file cannot be sorted; undefined where it can. */
async function faultOf(path: string, by: SortBy): Promise<string | undefined> {
  // A link that is moved would lead elsewhere. A copy, and a link to a link, are of what it leads to.
  const found = await (by === 'move' ? lstat : stat)(pathBytes(path)).catch(() => undefined);
  if (!found) return 'images whose file is no longer there';
  if (found.isSymbolicLink()) return 'images that are links, which are not moved';
  return found.isFile() ? undefined : 'images that are no longer a file';
}

/** Whether an earlier sort, or a person, has put the file there. */
async function isDone({ by, from, to }: FileStep): Promise<boolean> {
  if (from === to) return true;
  if (by === 'link') return (await linkTarget(to)) === from;
  return by === 'copy' && (await compareFiles(to, from)) === 'equal';
}

/** The names in each folder: those that are there, and those that are planned. */
function createTakenNames() {
  const folders = new Map<string, Set<string>>();
  return {
    /** Resolves to the folders that are to be made for it, the outermost first. */
    async open(folder: string): Promise<string[]> {
      if (folders.has(folder)) return [];
      const found = await readdir(pathBytes(folder), { encoding: 'buffer' }).catch(() => undefined);
      folders.set(folder, new Set(found?.map((name) => foldedName(nameOfBytes(name)))));
      if (found) return [];
      const above = dirname(folder);
      return above === folder ? [] : [...(await this.open(above)), folder];
    },
    /** Whether the name was free. It is not any more. */
    take(folder: string, name: string): boolean {
      const names = folders.get(folder)!;
      const folded = foldedName(name);
      if (names.has(folded)) return false;
      names.add(folded);
      return true;
    },
  };
}
