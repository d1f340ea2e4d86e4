/** The tensors of a CLIP that open_clip saved, under the names that transformers gives them: no byte is moved. */
import type { StoredTensor } from './checkpointWeights.ts';

/** Names after a tower's own prefix, as open_clip has them and as transformers has them; `#` is the number of a layer. */
type Names = readonly (readonly [open: string, transformers: string])[];

const layer = (open: string, transformers: string): Names => [
  [`${open}.ln_1`, `${transformers}.layer_norm1`],
  [`${open}.attn.out_proj`, `${transformers}.self_attn.out_proj`],
  [`${open}.ln_2`, `${transformers}.layer_norm2`],
  [`${open}.mlp.c_fc`, `${transformers}.mlp.fc1`],
  [`${open}.mlp.c_proj`, `${transformers}.mlp.fc2`],
];

const names: Names = [
  ['visual.class_embedding', 'vision_model.embeddings.class_embedding'],
  ['visual.conv1', 'vision_model.embeddings.patch_embedding'],
  ['visual.positional_embedding', 'vision_model.embeddings.position_embedding.weight'],
  ['visual.ln_pre', 'vision_model.pre_layrnorm'],
  ...layer('visual.transformer.resblocks.#', 'vision_model.encoder.layers.#'),
  ['visual.ln_post', 'vision_model.post_layernorm'],
  ['token_embedding', 'text_model.embeddings.token_embedding'],
  ['positional_embedding', 'text_model.embeddings.position_embedding.weight'],
  ...layer('transformer.resblocks.#', 'text_model.encoder.layers.#'),
  ['ln_final', 'text_model.final_layer_norm'],
  // Of a projection with a class of its own; the other is in × out.
  ['text_projection.weight', 'text_projection.weight'],
];

const attentions = [
  [/^visual\.transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)$/, 'vision_model'],
  [/^transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)$/, 'text_model'],
] as const;

/** Matrices that are multiplied from the right: in × out. */
const projections: Record<string, string> = {
  'visual.proj': 'visual_projection.weight',
  text_projection: 'text_projection.weight',
};

/** @param tensors as open_clip names them; a text tower of its own class has its names below `text.` */
export function inTransformersNames(tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  const renamed = new Map<string, StoredTensor>();
  for (const [given, tensor] of tensors) {
    const name = given.replace(/^text\./, '');
    const projection = projections[name];
    const attention = attentions.map(([pattern, tower]) => ({ match: pattern.exec(name), tower }));
    const packed = attention.find(({ match }) => match !== null);
    if (projection && tensor.shape.length === 2) renamed.set(projection, swapped(tensor));
    else if (packed) {
      const [, number, kind] = packed.match!;
      for (const [i, part] of ['q', 'k', 'v'].entries()) {
        const path = `${packed.tower}.encoder.layers.${number}.self_attn.${part}_proj.${kind}`;
        renamed.set(path, thirdOf(tensor, i));
      }
    } else renamed.set(renamedTo(name), tensor);
  }
  return renamed;
}

function renamedTo(name: string): string {
  const number = /\.resblocks\.(\d+)\./.exec(name)?.[1];
  const general = name.replace(/\.resblocks\.\d+\./, '.resblocks.#.');
  const found = names.find(([open]) => general === open || general.startsWith(`${open}.`));
  if (!found) return name;
  const [open, transformers] = found;
  return (transformers + general.slice(open.length)).replace('#', number ?? '');
}

/** The rows of queries, keys or values, which `torch.nn.MultiheadAttention` keeps one below the other. */
function thirdOf(tensor: StoredTensor, place: number): StoredTensor {
  const length = tensor.length / 3;
  const shape = [tensor.shape[0]! / 3, ...tensor.shape.slice(1)];
  return { ...tensor, shape, offset: tensor.offset + place * length, length };
}

function swapped(tensor: StoredTensor): StoredTensor {
  return { ...tensor, shape: tensor.shape.toReversed(), swapped: true };
}
