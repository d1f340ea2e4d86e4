import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { type PackedTaps, packTaps } from './packedTaps.ts';
import { aligned, createLayout, OVERRUN, type Passes } from './passMemory.ts';
import type { Resample } from './preprocessing.ts';
import { isVerticalFirst, planTaps, type Resampler, type RgbImage } from './resample.ts';
import type { ResizePlan } from './resizeGeometry.ts';

/** What is used of it: TypeScript has declarations of it only among those of browsers. */
declare const WebAssembly:
  | undefined
  | {
      validate(code: Uint8Array): boolean;
      Module: new (code: Uint8Array) => object;
      Instance: new (module: object) => { exports: object };
    };

interface PackedAxes {
  columns: PackedTaps;
  rows: PackedTaps;
}

/** Both passes over an image; `passesFor` gives them so many bytes of memory. */
type PassOrder = (
  source: RgbImage,
  plan: ResizePlan,
  axes: PackedAxes,
  passesFor: (bytes: number) => Passes,
) => RgbImage;

/** The source is copied into the passes' memory in strips of about this size: no second copy of a large image, and the caches hold it. */
const STRIP_BYTES = 1 << 18;
/** WebAssembly's memory never shrinks: an image that needs more has an instance of its own. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024;
/** Sizes of images come back, and weights take longer to compute than a thumbnail to resize. */
const KEPT_TAPS_BYTES = 16 * 1024 * 1024;

/**
 * Resizing by WebAssembly with SIMD, or undefined where the processor or the command line of Node does not allow it.
 * What it gives is what `resamplePlain` gives, to the bit.
 */
export function createSimdResampler(): Resampler | undefined {
  const code = readFileSync(new URL('./resample.wasm', import.meta.url));
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return undefined;
  const module = new WebAssembly.Module(code);
  const open = () => new WebAssembly.Instance(module).exports as Passes;
  const kept = open();
  const axes = new LRUCache<string, PackedAxes>({
    maxSize: KEPT_TAPS_BYTES,
    sizeCalculation: ({ columns, rows }) => bytesOf(columns) + bytesOf(rows),
  });

  return (source, plan, filter) => {
    const key = keyOf(source, plan, filter);
    let packed = axes.get(key);
    if (packed === undefined) {
      const taps = planTaps(source, plan, filter);
      packed = { columns: packTaps(taps.columns, 4, 3), rows: packTaps(taps.rows, 2, 1) };
      axes.set(key, packed);
    }
    const pass = isVerticalFirst(source, plan) ? columnsThenRows : rowsThenColumns;
    return pass(source, plan, packed, (bytes) => (bytes > KEPT_BYTES_MAX ? open() : kept));
  };
}

function bytesOf({ first, weights }: PackedTaps): number {
  return first.byteLength + weights.byteLength;
}

function keyOf({ width, height }: RgbImage, { size, window }: ResizePlan, filter: Resample): string {
  return [width, height, ...Object.values(size), ...Object.values(window), filter].join();
}

/** The usual order. */
const rowsThenColumns: PassOrder = (source, { window: { width, height } }, { columns, rows }, passesFor) => {
  const keptBytes = columns.span * 3;
  const stride = aligned(width * 3 + 1);
  const stripRows = Math.max(2, Math.min(rows.span, Math.floor(STRIP_BYTES / keptBytes) & ~1));
  const layout = createLayout();
  const columnTaps = layout.placeTaps(columns);
  const rowTaps = layout.placeTaps(rows);
  const strip = layout.place(stripRows * keptBytes + columns.reach * 3);
  const between = layout.place((rows.span + rows.reach) * stride);
  const target = layout.place(height * width * 3);
  const passes = passesFor(layout.bytes());
  const memory = layout.fill(passes);

  for (let y = 0; y < rows.span; y += stripRows) {
    const count = Math.min(stripRows, rows.span - y);
    copyRows(memory, strip, source, { firstRow: rows.start + y, count, columns });
    passes.resampleRows(
      strip,
      keptBytes,
      count,
      between + y * stride,
      stride,
      width,
      columnTaps.first,
      columnTaps.weights,
      columns.groups,
    );
  }
  passes.resampleColumns(
    between,
    stride,
    target,
    width * 3,
    height,
    rowTaps.first,
    rowTaps.weights,
    rows.groups,
  );
  return { data: memory.slice(target, target + height * width * 3), width, height };
};

/** Columns first, one target row at a time, so that only the source rows under it are copied. */
const columnsThenRows: PassOrder = (source, { window: { width, height } }, { columns, rows }, passesFor) => {
  const keptBytes = columns.span * 3;
  const betweenStride = aligned(keptBytes + columns.reach * 3 + OVERRUN);
  const stride = aligned(width * 3 + 1);
  const layout = createLayout();
  const columnTaps = layout.placeTaps(columns);
  const rowTaps = layout.placeTaps(rows);
  const topOfStrip = layout.place(4);
  const strip = layout.place(rows.reach * keptBytes);
  const between = layout.place(height * betweenStride);
  const target = layout.place(height * stride);
  const passes = passesFor(layout.bytes());
  const memory = layout.fill(passes);
  memory.fill(0, topOfStrip, topOfStrip + 4);

  for (let y = 0; y < height; y++) {
    const first = rows.first[y]!;
    const count = Math.min(rows.reach, rows.span - first);
    copyRows(memory, strip, source, { firstRow: rows.start + first, count, columns });
    const weights = rowTaps.weights + y * rows.reach * 4;
    const row = between + y * betweenStride;
    passes.resampleColumns(strip, keptBytes, row, keptBytes, 1, topOfStrip, weights, rows.groups);
  }
  passes.resampleRows(
    between,
    betweenStride,
    height,
    target,
    stride,
    width,
    columnTaps.first,
    columnTaps.weights,
    columns.groups,
  );
  const data = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    const from = target + y * stride;
    data.set(memory.subarray(from, from + width * 3), y * width * 3);
  }
  return { data, width, height };
};

interface Strip {
  firstRow: number;
  count: number;
  columns: PackedTaps;
}

/** Rows of the source, only the columns that are needed, one after the other at `to`. */
function copyRows(
  memory: Uint8Array,
  to: number,
  source: RgbImage,
  { firstRow, count, columns }: Strip,
): void {
  const rowBytes = source.width * 3;
  const keptBytes = columns.span * 3;
  const from = firstRow * rowBytes + columns.start * 3;
  if (keptBytes === rowBytes) {
    memory.set(source.data.subarray(from, from + count * rowBytes), to);
    return;
  }
  for (let i = 0; i < count; i++) {
    const at = from + i * rowBytes;
    memory.set(source.data.subarray(at, at + keptBytes), to + i * keptBytes);
  }
}
