import type { Preprocessing, Size } from './preprocessing.ts';

/** How an odd margin is halved: downwards as Hugging Face does, or half to even as OpenAI's own code does. */
export type CropRounding = 'floor' | 'half-even';

/** The whole image is resized to `size`; of that, only `window` is kept. All in pixels. */
export interface ResizePlan {
  size: Size;
  window: Window;
}

export interface Window extends Size {
  left: number;
  top: number;
}

/**
 * Sizes of the reference: transformers' `get_resize_output_image_size` cuts the longer side's length off to an integer;
 * its `center_crop` takes the floor of half the margin, OpenAI's `CenterCrop` (torchvision) Python's `round`.
 */
export function planResize(
  source: Size,
  { resize, crop }: Pick<Preprocessing, 'resize' | 'crop'>,
  rounding: CropRounding,
): ResizePlan {
  const size = resizedSize(source, resize);
  const { width, height } = crop ?? size;
  const halve = rounding === 'floor' ? (margin: number) => Math.floor(margin / 2) : halveToEven;
  return {
    size,
    window: { left: halve(size.width - width), top: halve(size.height - height), width, height },
  };
}

function resizedSize(source: Size, resize: Preprocessing['resize']): Size {
  if (!('shortestEdge' in resize)) return resize;
  const short = resize.shortestEdge;
  return source.width <= source.height
    ? { width: short, height: Math.trunc((short * source.height) / source.width) }
    : { width: Math.trunc((short * source.width) / source.height), height: short };
}

function halveToEven(margin: number): number {
  const floor = Math.floor(margin / 2);
  return margin % 2 !== 0 && floor % 2 !== 0 ? floor + 1 : floor;
}
