import { fromHalf } from '../../shared/embeddings/half.ts';
import { type ReadRange, readTensorRanges, type TensorRange } from '../checkpoint/safetensors.ts';
import type { Scale } from '../score/rank.ts';

/**
 * Scale and bias from a checkpoint in safetensors, which holds the logarithm of the scale. Undefined where there is no `logit_scale`,
 * as in all shards but one and in towers that were saved each by itself.
 *
 * @param where the file, for messages
 * @throws MODEL_INVALID where it is no safetensors
 */
export async function readSafetensorsScale(read: ReadRange, where: string): Promise<Scale | undefined> {
  return scaleIn(await readTensorRanges(read, where), read);
}

/** Scale and bias among the tensors of a file, which `read` reads. */
export async function scaleIn(
  tensors: ReadonlyMap<string, TensorRange>,
  read: ReadRange,
): Promise<Scale | undefined> {
  const scalar = async (name: string): Promise<number | undefined> => {
    const tensor = tensors.get(name);
    if (!tensor) return undefined;
    return scalarOf(tensor.dtype, Buffer.from(await read(tensor.offset, tensor.length)));
  };
  const logarithm = await scalar('logit_scale');
  if (logarithm === undefined) return undefined;
  return { logitScale: Math.exp(logarithm), logitBias: (await scalar('logit_bias')) ?? 0 };
}

function scalarOf(dtype: string, bytes: Buffer): number | undefined {
  if (dtype === 'F32') return bytes.readFloatLE();
  if (dtype === 'F64') return bytes.readDoubleLE();
  if (dtype === 'F16') return fromHalf(Uint16Array.of(bytes.readUInt16LE()))[0];
  if (dtype === 'BF16') return Buffer.from([0, 0, bytes[0]!, bytes[1]!]).readFloatLE();
  return undefined;
}
