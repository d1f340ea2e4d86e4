import { lstat, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { isUtf8Name } from '../../shared/refs/byteNames.ts';
import type { PublicRow } from '../../shared/rows/row.ts';
import { labeledFile } from '../actions/labeledFile.ts';
import { createOmissions } from '../rows/localImage.ts';
import { isTxtLabel, withoutTags, withTags } from './txtSidecar.ts';
import { isXmpLabel, withKeywords, withoutKeywords } from './xmpSidecar.ts';

export type TagFormat = 'xmp' | 'txt';
/** `name`: photo.jpg.xmp, as digiKam, darktable and Immich read it; `stem`: photo.xmp, as Adobe does. */
export type SidecarName = 'name' | 'stem';

/** A sidecar to be written. */
export interface TagStep {
  format: TagFormat;
  path: string;
  /** Its text before; absent where there is none. */
  before?: string;
  after: string;
  /** Those that are new in it. */
  labels: readonly string[];
}

export interface TagRules {
  format: TagFormat;
  sidecar: SidecarName;
  /** The labels of an image that are sure enough. */
  accepted: (row: PublicRow) => readonly string[];
  roots: ReadonlyMap<string, string>;
}

const formats = {
  xmp: { isLabel: isXmpLabel, merge: withKeywords, without: withoutKeywords },
  txt: { isLabel: isTxtLabel, merge: withTags, without: withoutTags },
} as const;

export function withoutLabels({ format, labels }: TagStep, text: string): string | undefined {
  return formats[format].without(text, labels);
}

/** Plans one sidecar after the other. What a sidecar says already is not planned. */
export function createTagPlan(rules: TagRules) {
  const omissions = createOmissions();
  const planned = new Set<string>();
  const { isLabel, merge } = formats[rules.format];
  let [written, inPlace] = [0, 0];

  async function stepOf(row: PublicRow): Promise<TagStep | { leftOut: string } | 'in place'> {
    const file = labeledFile(row, rules.roots);
    if ('isNone' in file) return { leftOut: file.isNone };
    const accepted = rules.accepted(row);
    const labels = accepted.filter(isLabel);
    if (labels.length < accepted.length)
      return { leftOut: `images with a label that ${rules.format} cannot hold` };
    if (labels.length === 0) return { leftOut: 'images of which no label is sure' };
    if (!isUtf8Name(file.path)) return { leftOut: 'images whose name is not UTF-8' };
    if (!(await isFile(file.path))) return { leftOut: 'images whose file is no longer there' };
    const path = sidecarOf(file.path, rules);
    if (planned.has(path)) return { leftOut: 'images whose sidecar another image has as well' };
    planned.add(path);
    const before = await textOf(path);
    if (typeof before === 'object') return before;
    const after = merge(before, labels);
    if (!after) return { leftOut: `images whose sidecar is no ${rules.format}` };
    if (after.added.length === 0) return 'in place';
    return {
      format: rules.format,
      path,
      ...(before !== undefined && { before }),
      after: after.text,
      labels: after.added,
    };
  }

  return {
    written: () => written,
    inPlace: () => inPlace,
    leftOut: () => omissions.sentences(),
    async *steps(rows: AsyncIterable<PublicRow>): AsyncGenerator<TagStep> {
      for await (const row of rows) {
        const step = await stepOf(row);
        if (step === 'in place') inPlace++;
        else if ('leftOut' in step) omissions.add(step.leftOut);
        else {
          written++;
          yield step;
        }
      }
    },
  };
}

function sidecarOf(path: string, { format, sidecar }: TagRules): string {
  if (format === 'xmp' && sidecar === 'name') return `${path}.xmp`;
  const ending = extname(path);
  return `${path.slice(0, path.length - ending.length)}.${format}`;
}

async function isFile(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isFile() || found.isSymbolicLink(),
    () => false,
  );
}

/** The text of a sidecar; undefined where there is none. */
async function textOf(path: string): Promise<string | undefined | { leftOut: string }> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return undefined;
  if (!found.isFile()) return { leftOut: 'images whose sidecar is a link or no file' };
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch {
    return { leftOut: 'images whose sidecar cannot be read as UTF-8' };
  }
}
