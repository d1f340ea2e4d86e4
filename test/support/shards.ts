/**
 * A checkpoint in safetensors as several files and their index, as transformers saves large ones: tensors are dealt out one by one.
 */
export function splitIntoShards(whole: Buffer, count: number): Record<string, Buffer> {
  const headerBytes = Number(whole.readBigUInt64LE());
  const header = JSON.parse(whole.subarray(8, 8 + headerBytes).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const weight_map: Record<string, string> = {};
  const files: Record<string, Buffer> = {};
  const pad = (n: number) => String(n).padStart(5, '0');
  for (let shard = 0; shard < count; shard++) {
    const file = `model-${pad(shard + 1)}-of-${pad(count)}.safetensors`;
    const entries: typeof header = {};
    const data: Buffer[] = [];
    let at = 0;
    for (const name of names.filter((_, i) => i % count === shard)) {
      const { dtype, shape, data_offsets } = header[name]!;
      const bytes = whole.subarray(8 + headerBytes + data_offsets[0], 8 + headerBytes + data_offsets[1]);
      entries[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
      at += bytes.length;
      data.push(bytes);
      weight_map[name] = file;
    }
    const text = Buffer.from(JSON.stringify(entries));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    files[file] = Buffer.concat([length, text, ...data]);
  }
  files['model.safetensors.index.json'] = Buffer.from(JSON.stringify({ metadata: {}, weight_map }));
  return files;
}
