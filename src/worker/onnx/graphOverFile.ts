import { dirname, join } from 'node:path';
import type { GraphBytes } from './graph.ts';
import { type FileField, type OnnxFile, withOnnxFile } from './onnxFile.ts';
import { graphField, modelField, tensorField, textField } from './onnxProto.ts';
import { bytesField, type ExternalRange, externalDataFields, prefixOf } from './onnxWriter.ts';
import { realPlaces } from './realPlaces.ts';

/** Constants of fewer bytes stay in the graph: shapes and the like, which are read before weights are. */
const LARGE_BYTES = 1024;

/** A constant whose bytes lie in a file. */
interface LargeConstant {
  /** The fields of its TensorProto besides where the data is. */
  rest: Uint8Array[];
  file: string;
  /** How the graph names the file; undefined for its own. */
  location?: string;
  offset: number;
  /** Undefined for all that follows. */
  length: number | undefined;
}

type Piece = Uint8Array | LargeConstant;

export interface GraphOverFile extends GraphBytes {
  /** Files besides its own that the graph's weights lie in, as it names them: paths from its folder, with slashes. */
  locations: string[];
}

/**
 * A graph's file, as a graph in memory whose large constants are ranges of the files they lie in: of the graph's own file, or of those
 * that it names. So nodes can be put in front of a graph of gigabytes without a copy of it, in memory or on disk.
 *
 * @throws RangeError where the file is no protobuf; what opening it, or a file that it names, throws
 */
export async function graphOverFile(path: string): Promise<GraphOverFile> {
  const { before, pieces, after } = await readPieces(path);
  const files = new Set([path, ...pieces.flatMap((piece) => ('file' in piece ? [piece.file] : []))]);
  const { folder, locations: places } = await realPlaces([...files]);
  const inside = pieces.map((piece) => {
    if (!('file' in piece)) return piece;
    const { file, offset, length, rest } = piece;
    const range: ExternalRange = {
      location: places.get(file)!,
      offset,
      ...(length !== undefined && { length }),
    };
    return bytesField(graphField.initializer, ...rest, ...externalDataFields(range));
  });
  const length = inside.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return {
    graph: Buffer.concat([...before, prefixOf(modelField.graph, length), ...inside, ...after]),
    weightsFolder: folder,
    locations: locationsOf(pieces),
  };
}

/**
 * Where the weights of a graph lie besides its own file, as it names them: paths from its folder, with slashes.
 *
 * @throws as `graphOverFile` does
 */
export async function weightLocationsOf(path: string): Promise<string[]> {
  return locationsOf((await readPieces(path)).pieces);
}

function locationsOf(pieces: readonly Piece[]): string[] {
  const locations = pieces.flatMap((piece) => ('file' in piece && piece.location ? [piece.location] : []));
  return [...new Set(locations)].sort();
}

/** A model's fields before its graph and after it, and those of the graph. */
async function readPieces(
  path: string,
): Promise<{ before: Uint8Array[]; pieces: Piece[]; after: Uint8Array[] }> {
  return withOnnxFile(path, async (file) => {
    const fields = await file.fields(0, file.size);
    const at = fields.findIndex(({ number }) => number === modelField.graph);
    const graph = fields[at];
    if (!graph) throw new RangeError('the file has no graph');
    const copy = (some: FileField[]) => Promise.all(some.map(({ start, end }) => file.bytes(start, end)));
    const pieces: Piece[] = [];
    for (const field of await file.fields(graph.content, graph.end)) {
      const large = field.number === graphField.initializer && (await largeConstant(file, field, path));
      pieces.push(large || (await file.bytes(field.start, field.end)));
    }
    return { before: await copy(fields.slice(0, at)), pieces, after: await copy(fields.slice(at + 1)) };
  });
}

async function largeConstant(
  file: OnnxFile,
  tensor: FileField,
  path: string,
): Promise<LargeConstant | undefined> {
  const fields = await file.fields(tensor.content, tensor.end);
  const raw = fields.find(({ number }) => number === tensorField.rawData);
  const isPlace = ({ number }: FileField) =>
    number === tensorField.rawData ||
    number === tensorField.externalData ||
    number === tensorField.dataLocation;
  const rest = () =>
    Promise.all(fields.filter((field) => !isPlace(field)).map(({ start, end }) => file.bytes(start, end)));
  const entries = fields.filter(({ number }) => number === tensorField.externalData);
  if (entries.length > 0) {
    const place = new Map<string, string>();
    for (const { content, end } of entries) {
      const entry = await file.bytes(content, end);
      place.set(textField(entry, 1)!, textField(entry, 2)!);
    }
    const length = place.get('length');
    const location = place.get('location')!;
    return {
      rest: await rest(),
      file: join(dirname(path), location),
      location,
      offset: Number(place.get('offset') ?? 0),
      length: length === undefined ? undefined : Number(length),
    };
  }
  if (!raw || raw.end - raw.content < LARGE_BYTES) return undefined;
  return { rest: await rest(), file: path, offset: raw.content, length: raw.end - raw.content };
}
