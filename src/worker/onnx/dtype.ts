/**
 * How the ONNX layout of the Hub names a graph of each number format: `vision_model` + suffix + `.onnx`. The names
 * and suffixes are those that `@huggingface/transformers` writes and reads.
 */
export const dtypeSuffix = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
} as const satisfies Record<string, string>;

export type Dtype = keyof typeof dtypeSuffix;

/** Every dtype, in the order of the table. */
export const dtypes = Object.keys(dtypeSuffix) as Dtype[];
