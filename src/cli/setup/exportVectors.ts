import type { ExportFormat } from '../../results/exports/exportFormat.ts';
import { vectorFolderOf } from '../../shared/embeddings/vectorFolder.ts';
import { openVectorIndex, type VectorIndex } from '../../shared/embeddings/vectorIndex.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { noLabelSet } from '../../shared/rows/row.ts';
import type { Run } from '../../shared/runs/run.ts';

export interface VectorChoice {
  /** Asked for: `--vectors`. */
  vectors?: boolean;
  /** Directories of named roots on this machine, by name. */
  roots?: ReadonlyMap<string, string>;
}

/**
 * The vectors of a run for a format that has them; undefined for others.
 *
 * @throws VECTORS_UNUSABLE where they are asked for and not to be had, USAGE for a format that has none
 */
export async function vectorsFor(
  format: ExportFormat,
  run: Run,
  { vectors = false, roots }: VectorChoice = {},
): Promise<VectorIndex | undefined> {
  const has = format.kind === 'lines' ? undefined : format.vectors;
  if (vectors && has === undefined)
    throw new ClipfleetError('USAGE', '--vectors: expected an output in npy or parquet, got another format.');
  const isWanted =
    vectors ||
    (has !== undefined && run.labelSet === noLabelSet) ||
    (has === 'always' && run.embeddings !== undefined);
  if (!isWanted) return undefined;
  const { birth } = run;
  return openVectorIndex({ birth, folder: keptFolderOf(run, roots) });
}

/**
 * The folder of a run's vectors on this machine.
 *
 * @throws VECTORS_UNUSABLE while the run goes on, and where it kept none or they are not here
 */
export function keptFolderOf(
  { run, state, embeddings }: Pick<Run, 'run' | 'state' | 'embeddings'>,
  writeRoots: ReadonlyMap<string, string> = new Map(),
): string {
  if (embeddings === undefined)
    throw unusable(`Run '${run}' kept no vectors: label with --keep-embeddings, then again.`);
  if (state !== 'complete' && state !== 'cancelled')
    throw unusable(`Run '${run}' is ${state}: wait until it is complete, or cancel it.`);
  const folder = vectorFolderOf(run, embeddings, { writeRoots, trustPaths: true });
  if (folder !== undefined) return folder;
  throw unusable(
    `The vectors of run '${run}' are in ${embeddings}: say with --root NAME=DIR where that root is here.`,
  );
}

function unusable(message: string): ClipfleetError {
  return new ClipfleetError('VECTORS_UNUSABLE', message);
}
