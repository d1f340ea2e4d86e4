import type { ParquetWriter } from 'hyparquet-writer';
import { fromHalf } from '../../shared/embeddings/half.ts';
import type { OpenPart } from '../outputs/wholeOutput.ts';
import { bestOf, cellText, type ExportedRun, type ExportRow } from '../rows/exportedRun.ts';
import { besideOurs } from './csvRows.ts';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** Rows that are in memory, and make a row group. */
const GROUP_ROWS = 20_000;

const WRITER = 'clipfleet';

/** Who wrote a file, as its last bytes have it: in Thrift's compact protocol a field of text, its length, and the next field, a list. */
const writerField = `\u0018${String.fromCharCode(WRITER.length)}${WRITER}\u0019`;

/** Whether a file that ends so was written here. */
export function isOurParquet(ending: string): boolean {
  return ending.endsWith('PAR1') && ending.includes(writerField);
}

/** A column: what the file says of it, and its cell of a row. */
interface Column {
  schema: SchemaElement[];
  cellOf(row: ExportRow): unknown;
}

/**
 * Rows as Parquet: the best label and its score for whoever wants one, all predictions as a list of structs, and what is the
 * same for all rows in the file's metadata. The schema does not depend on the rows. Cells of a source list are texts.
 */
export const openParquet: OpenPart = (part, run) => openParquetWith(part, run, []);

/** @param before columns in front of the usual ones */
export async function openParquetWith(part: string, run: ExportedRun, before: readonly Column[]) {
  // Loaded when a Parquet file is written, which in most runs never happens.
  const { fileWriter, ParquetWriter } = await import('hyparquet-writer');
  const columns = [
    ...before,
    ...ownColumns(),
    ...decisionColumns(run),
    ...sourceColumns(run),
    ...vectorColumns(run),
  ];
  const file = fileWriter(part);
  const root: SchemaElement = { name: 'root', num_children: columns.length };
  const writer = new ParquetWriter({
    writer: file,
    schema: [root, ...columns.flatMap(({ schema }) => schema)],
    kvMetadata: provenanceOf(run),
    createdBy: WRITER,
  });
  let rows: ExportRow[] = [];

  async function writeGroup(): Promise<void> {
    const columnData = columns.map(({ schema, cellOf }) => ({
      name: schema[0]!.name,
      data: rows.map(cellOf) as unknown[],
    }));
    rows = [];
    await writer.write({ columnData, rowGroupSize: GROUP_ROWS });
  }

  return {
    async write(row: ExportRow): Promise<void> {
      rows.push(row);
      if (rows.length === GROUP_ROWS) await writeGroup();
    },
    async end(): Promise<readonly string[]> {
      if (rows.length > 0) await writeGroup();
      await writer.finish();
      return [];
    },
    async close(): Promise<void> {},
  };
}

/** A column of texts. */
export function textColumn(
  name: string,
  cellOf: (row: ExportRow) => string | undefined,
  optional = false,
): Column {
  const element: SchemaElement = {
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    repetition_type: optional ? 'OPTIONAL' : 'REQUIRED',
  };
  return { schema: [element], cellOf };
}

function ownColumns(): Column[] {
  return [
    textColumn('id', ({ id }) => id),
    textColumn('uri', ({ uri }) => uri),
    textColumn('status', ({ status }) => status),
    textColumn('label', (row) => bestOf(row)?.label, true),
    { schema: [float('score', 'OPTIONAL')], cellOf: (row) => bestOf(row)?.score },
    predictionsColumn,
    textColumn('error', (row) => (row.status === 'failed' ? row.error.code : undefined), true),
    textColumn('message', (row) => (row.status === 'failed' ? row.error.message : undefined), true),
    {
      schema: [{ name: 'generation', type: 'INT32', repetition_type: 'REQUIRED' }],
      cellOf: ({ generation }) => generation,
    },
    {
      schema: [
        {
          name: 'made_at',
          type: 'INT64',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
          repetition_type: 'REQUIRED',
        },
      ],
      cellOf: ({ at }) => new Date(at),
    },
    textColumn('fingerprint', (row) => (row.status === 'failed' ? undefined : row.fingerprint), true),
  ];
}

/** How thresholds decide, where there are any. */
function decisionColumns({ judge }: ExportedRun): Column[] {
  return judge ? [textColumn('decision', ({ decision }) => decision, true)] : [];
}

/** Null for a failed image, empty where every label is below its threshold. */
const predictionsColumn: Column = {
  schema: [
    { name: 'predictions', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', num_children: 4 },
    { name: 'label', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    float('score', 'REQUIRED'),
    float('logit', 'OPTIONAL'),
    float('cosine', 'OPTIONAL'),
  ],
  cellOf: (row) => (row.status === 'classified' ? row.predictions : undefined),
};

/** A list of float32: few readers know columns of half precision. Null for a failed image. */
function vectorColumns({ vectors }: ExportedRun): Column[] {
  if (!vectors) return [];
  const schema: SchemaElement[] = [
    { name: 'embedding', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    float('element', 'REQUIRED'),
  ];
  return [{ schema, cellOf: ({ vector }) => vector && Array.from(floatsOf(vector)) }];
}

function floatsOf({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return fromHalf(new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength)));
}

function float(name: string, repetition: 'REQUIRED' | 'OPTIONAL'): SchemaElement {
  return { name, type: 'FLOAT', repetition_type: repetition };
}

function sourceColumns(run: ExportedRun): Column[] {
  const own = [...ownColumns(), ...decisionColumns(run)].map(({ schema }) => schema[0]!.name);
  const names = besideOurs(run.sourceColumns, own);
  return run.sourceColumns.map((column, i) =>
    textColumn(names[i]!, (row) => textOf(row.source?.[column]), true),
  );
}

function textOf(cell: unknown): string | undefined {
  return cell === undefined || cell === null ? undefined : cellText(cell);
}

function provenanceOf({ run, model, labelSet, createdAt, labels }: ExportedRun) {
  return [
    { key: 'clipfleet.run', value: run },
    { key: 'clipfleet.model', value: model },
    { key: 'clipfleet.label_set', value: labelSet },
    { key: 'clipfleet.created_at', value: createdAt },
    { key: 'clipfleet.labels', value: JSON.stringify(labels) },
  ];
}
