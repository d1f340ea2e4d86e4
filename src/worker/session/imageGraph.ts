import { type Graph, type NamedGraph, openGraph, type Providers } from '../onnx/graph.ts';
import type { Preprocessing } from '../resize/preprocessing.ts';
import type { Device } from './devices.ts';
import { isPixelInput } from './feeds.ts';
import { withPixelPrefix } from './pixelPrefix.ts';

export interface OpenHow {
  providers: Providers;
  threads: number;
}

/**
 * Opens the graph that images go through, with nodes in front that take the decoder's bytes where the device casts them. Elsewhere it takes
 * floats packed by this thread: slower to feed, and the same numbers.
 */
export async function openImageGraph(
  graph: NamedGraph,
  preprocessing: Preprocessing,
  { takesBytes }: Pick<Device, 'takesBytes'>,
  how: OpenHow,
): Promise<Graph> {
  const pieces = takesBytes ? withPixelPrefix(graph.graph, preprocessing) : undefined;
  return openGraph(pieces ? { ...graph, graph: Buffer.concat(pieces) } : graph, how);
}

/** The number of images that a graph takes together, where it takes no other. */
export function fixedImageCount(graph: Graph): number | undefined {
  const inputs = graph.inputMetadata as readonly { name: string; shape?: readonly (number | string)[] }[];
  const count = inputs.find(({ name }) => isPixelInput(name))?.shape?.[0];
  return typeof count === 'number' && count > 0 ? count : undefined;
}
