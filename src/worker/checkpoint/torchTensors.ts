/**
 * The tensors of a state dict that PyTorch saved (`pytorch_model.bin`): a zip with a pickle that names them, and their numbers as they are, one
 * entry for each storage. Format: `_save` in `torch/serialization.py`.
 */
import { ClipfleetError } from '../../shared/errors.ts';
import {
  type Pickled,
  PickledCall,
  PickledName,
  PickledReference,
  readPickle,
  stateDictCalls,
} from './pickle.ts';
import type { ReadRange, TensorRange } from './safetensors.ts';
import { readZipEntries, type ZipEntry } from './zipEntries.ts';

/** What the pickle of thousands of tensors has is some 300 kB. */
const PICKLE_BYTES_MAX = 64 * 1024 * 1024;

/** Kinds of storages, as safetensors names their elements, and the bytes of one. */
const storages: Record<string, readonly [dtype: string, bytes: number] | undefined> = {
  'torch FloatStorage': ['F32', 4],
  'torch HalfStorage': ['F16', 2],
  'torch BFloat16Storage': ['BF16', 2],
  'torch DoubleStorage': ['F64', 8],
  'torch LongStorage': ['I64', 8],
  'torch IntStorage': ['I32', 4],
  'torch ByteStorage': ['U8', 1],
  'torch BoolStorage': ['BOOL', 1],
};

/** A tensor in a file; a matrix may be stored with rows and columns swapped, in × out, and has the shape of the others, out × in. */
export type TorchTensor = TensorRange & { swapped?: true };

/**
 * The tensors of the state dict, by name. Nothing that the pickle says is run.
 *
 * @throws MODEL_INVALID, naming the file `where`, for what is no such file, or asks for more than a state dict needs
 */
export async function readTorchTensors(
  read: ReadRange,
  where: string,
  fileBytes: number,
): Promise<Map<string, TorchTensor>> {
  try {
    const entries = new Map<string, ZipEntry>();
    // All entries lie in one folder, whose name does not matter.
    for (const [path, entry] of await readZipEntries(read, fileBytes)) {
      entries.set(path.slice(path.indexOf('/') + 1), entry);
    }
    const bytesOf = async (name: string, max: number) => {
      const entry = entries.get(name);
      if (entry && entry.length > max) throw new RangeError(`${name} of ${entry.length} bytes`);
      return entry && Buffer.from(await read(entry.offset, entry.length));
    };
    const pickle = await bytesOf('data.pkl', PICKLE_BYTES_MAX);
    if (!pickle) throw new RangeError('a zip without data.pkl');
    const order = await bytesOf('byteorder', 16);
    if (order && order.toString() !== 'little') throw new RangeError(`numbers of the byte order ${order}`);
    return tensorsOf(readPickle(pickle), entries);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ClipfleetError(
      'MODEL_INVALID',
      `Expected the weights of a state dict that PyTorch saved in ${where}, got ${error.message}. ` +
        'Nothing of it was run. Load it in Python and save it with save_pretrained, which writes safetensors.',
      { cause: error },
    );
  }
}

function tensorsOf(state: Pickled, entries: ReadonlyMap<string, ZipEntry>): Map<string, TorchTensor> {
  if (!(state instanceof Map)) throw new RangeError('a pickle of what is no dictionary');
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of state) {
    const call = calledIn(value);
    if (typeof name === 'string' && call) tensors.set(name, tensorOf(name, call, entries));
  }
  if (tensors.size === 0) throw new RangeError('a dictionary without tensors');
  return tensors;
}

/** The call that makes a tensor, also where it is a parameter. */
function calledIn(value: Pickled | undefined): PickledCall | undefined {
  if (!(value instanceof PickledCall)) return undefined;
  return value.name === stateDictCalls.parameter ? calledIn(value.args[0]) : value;
}

function tensorOf(name: string, { args }: PickledCall, entries: ReadonlyMap<string, ZipEntry>): TorchTensor {
  const [reference, first, shape, strides] = args;
  const [, kind, key] =
    reference instanceof PickledReference && Array.isArray(reference.id) ? reference.id : [];
  const storage = kind instanceof PickledName ? storages[kind.name] : undefined;
  const entry = entries.get(`data/${key}`);
  if (!isWholes(shape) || !isWholes(strides) || shape.length !== strides.length || !isWhole(first)) {
    throw new RangeError(`a tensor ${name} without shape, strides and place`);
  }
  if (!storage || !entry) throw new RangeError(`a tensor ${name} whose numbers are not in the file`);
  const [dtype, bytes] = storage;
  const length = shape.reduce((product, dim) => product * dim, bytes);
  const place = { shape, offset: entry.offset + first * bytes, length };
  if (first * bytes + length > entry.length) throw new RangeError(`a tensor ${name} that leaves its storage`);
  if (isDense(shape, strides)) return { ...place, dtype };
  if (shape.length === 2 && isDense(shape.toReversed(), strides.toReversed())) {
    return { ...place, dtype, swapped: true };
  }
  // Refused by that name where a tower needs it.
  return { ...place, dtype: `${dtype} with strides of ${strides.join(', ')}` };
}

/** Whether numbers lie row by row; where a dimension is 1, its stride says nothing. */
function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i]!;
  }
  return true;
}

function isWhole(value: Pickled | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isWholes(value: Pickled | undefined): value is number[] {
  return Array.isArray(value) && value.every(isWhole);
}
