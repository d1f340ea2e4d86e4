/**
 * Reads the pickle that `torch.save` writes for a state dict, as data. A pickle is a program for a stack machine that may call any function of Python;
 * here nothing is called, and what is not among the few steps below is refused. Steps by their codes in Python's `pickletools.py`.
 */

/** A function or class that the pickle names, `module name`. */
export class PickledName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What the pickle would call, with its arguments. */
export class PickledCall {
  readonly name: string;
  readonly args: readonly Pickled[];
  constructor(name: string, args: readonly Pickled[]) {
    this.name = name;
    this.args = args;
  }
}

/** What lies outside the pickle, by what it says of it. */
export class PickledReference {
  readonly id: Pickled;
  constructor(id: Pickled) {
    this.id = id;
  }
}

export type Pickled =
  | string
  | number
  | boolean
  | null
  | Pickled[]
  | Map<Pickled, Pickled>
  | PickledName
  | PickledCall
  | PickledReference;

/** What a state dict calls: dictionaries, tensors, and tensors that are parameters. */
export const stateDictCalls = {
  dictionary: 'collections OrderedDict',
  tensor: 'torch._utils _rebuild_tensor_v2',
  parameter: 'torch._utils _rebuild_parameter',
} as const;

const callable: readonly string[] = Object.values(stateDictCalls);

/** The machine's state. */
interface Machine {
  bytes: Buffer;
  at: number;
  stack: Pickled[];
  /** Heights of the stack that were marked. */
  marks: number[];
  memo: Map<number, Pickled>;
}

/** @throws RangeError, saying what of the pickle is not a state dict's */
export function readPickle(bytes: Buffer): Pickled {
  const machine: Machine = { bytes, at: 0, stack: [], marks: [], memo: new Map() };
  for (;;) {
    const code = take(machine, 1)[0]!;
    if (code === STOP) return pop(machine);
    const step = steps[code];
    if (!step) throw new RangeError(`step 0x${code.toString(16)} of a pickle, which no state dict needs`);
    step(machine);
  }
}

const STOP = 0x2e;

function take(machine: Machine, count: number): Buffer {
  const piece = machine.bytes.subarray(machine.at, machine.at + count);
  if (piece.length < count) throw new RangeError('a pickle that breaks off');
  machine.at += count;
  return piece;
}

function pop({ stack }: Machine): Pickled {
  const value = stack.pop();
  if (value === undefined) throw new RangeError('a pickle whose stack is empty');
  return value;
}

function top({ stack }: Machine): Pickled {
  const value = stack.at(-1);
  if (value === undefined) throw new RangeError('a pickle whose stack is empty');
  return value;
}

/** What is above the last mark. */
function popMarked({ stack, marks }: Machine): Pickled[] {
  const height = marks.pop();
  if (height === undefined) throw new RangeError('a pickle without a mark');
  return stack.splice(height);
}

function tuple(machine: Machine, count: number): void {
  const { stack } = machine;
  if (stack.length < count) throw new RangeError('a pickle whose stack is empty');
  stack.push(stack.splice(stack.length - count));
}

function line(machine: Machine): string {
  const end = machine.bytes.indexOf(0x0a, machine.at);
  const text = take(machine, end < 0 ? Number.POSITIVE_INFINITY : end + 1 - machine.at);
  return text.subarray(0, -1).toString('utf8');
}

function setItems(machine: Machine, items: readonly Pickled[]): void {
  const target = dictionaryIn(top(machine));
  for (let i = 0; i + 1 < items.length; i += 2) target.set(items[i]!, items[i + 1]!);
}

function dictionaryIn(value: Pickled): Map<Pickled, Pickled> {
  if (value instanceof Map) return value;
  throw new RangeError('a pickle that sets items of what is no dictionary');
}

function call(machine: Machine): void {
  const args = pop(machine);
  const called = pop(machine);
  const name = called instanceof PickledName ? called.name : 'what is no function';
  if (!callable.includes(name) || !Array.isArray(args)) {
    throw new RangeError(`a pickle that wants to call ${name}`);
  }
  machine.stack.push(name === stateDictCalls.dictionary ? new Map() : new PickledCall(name, args));
}

function recall({ memo, stack }: Machine, place: number): void {
  const value = memo.get(place);
  if (value === undefined) throw new RangeError(`a pickle that recalls ${place}, which it has not kept`);
  stack.push(value);
}

/** Little-endian, of any length, with its sign. */
function signed(bytes: Buffer): number {
  if (bytes.length > 8) throw new RangeError('a number of more than 64 bits');
  return Number(bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) - signOf(bytes));
}

function signOf(bytes: Buffer): bigint {
  return (bytes.at(-1) ?? 0) > 127 ? 1n << BigInt(8 * bytes.length) : 0n;
}

const steps: Record<number, ((machine: Machine) => void) | undefined> = {
  // PROTO, EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, MARK
  128: (m) => void take(m, 1),
  125: (m) => m.stack.push(new Map()),
  93: (m) => m.stack.push([]),
  41: (m) => m.stack.push([]),
  40: (m) => m.marks.push(m.stack.length),
  // TUPLE, TUPLE1, TUPLE2, TUPLE3
  116: (m) => m.stack.push(popMarked(m)),
  133: (m) => tuple(m, 1),
  134: (m) => tuple(m, 2),
  135: (m) => tuple(m, 3),
  // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
  113: (m) => m.memo.set(take(m, 1)[0]!, top(m)),
  114: (m) => m.memo.set(take(m, 4).readUInt32LE(), top(m)),
  104: (m) => recall(m, take(m, 1)[0]!),
  106: (m) => recall(m, take(m, 4).readUInt32LE()),
  // BINUNICODE, BININT1, BININT2, BININT, LONG1, BINFLOAT, NONE, NEWTRUE, NEWFALSE
  88: (m) => m.stack.push(take(m, take(m, 4).readUInt32LE()).toString('utf8')),
  75: (m) => m.stack.push(take(m, 1)[0]!),
  77: (m) => m.stack.push(take(m, 2).readUInt16LE()),
  74: (m) => m.stack.push(take(m, 4).readInt32LE()),
  138: (m) => m.stack.push(signed(take(m, take(m, 1)[0]!))),
  71: (m) => m.stack.push(take(m, 8).readDoubleBE()),
  78: (m) => m.stack.push(null),
  136: (m) => m.stack.push(true),
  137: (m) => m.stack.push(false),
  // GLOBAL, BINPERSID, REDUCE
  99: (m) => {
    const module = line(m);
    m.stack.push(new PickledName(`${module} ${line(m)}`));
  },
  81: (m) => m.stack.push(new PickledReference(pop(m))),
  82: call,
  // SETITEM, SETITEMS, APPENDS
  115: (m) => {
    const value = pop(m);
    setItems(m, [pop(m), value]);
  },
  117: (m) => setItems(m, popMarked(m)),
  101: (m) => {
    const items = popMarked(m);
    const list = top(m);
    if (!Array.isArray(list)) throw new RangeError('a pickle that appends to what is no list');
    for (const item of items) list.push(item);
  },
  // BUILD: the versions of modules, which a state dict has beside it.
  98: (m) => void pop(m),
};
