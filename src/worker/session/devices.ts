import { ClipfleetError } from '../../shared/errors.ts';
import { type Providers, tryProviders } from '../onnx/graph.ts';
import { dataType, graphField } from '../onnx/onnxProto.ts';
import { graphValue, node, onnxModel } from '../onnx/onnxWriter.ts';

/** Where a session can run. */
type DeviceName = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu' | 'coreml' | 'dml';

interface DeviceKind {
  /** onnxruntime's execution providers: what the first cannot do, the next does, and the CPU last. */
  providers: readonly string[];
  /** `process.platform` of machines that onnxruntime-node has it for; undefined for all. */
  platform?: NodeJS.Platform;
  /** Whether the decoder's bytes are cast on the device; elsewhere pixels go there as floats. */
  takesBytes: boolean;
  /** Whether it plans or compiles for each shape it meets, so that there should be few. */
  plansShapes: boolean;
  /** What the user can do where it is missing. */
  remedy: string;
}

const nvidia =
  'It needs an NVIDIA GPU with its driver, CUDA 12 and cuDNN 9 on the library path, and ONNX Runtime’s GPU libraries, which ' +
  '`node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install` fetches (Linux x64)';

const kinds: Record<DeviceName, DeviceKind> = {
  cpu: { providers: ['cpu'], takesBytes: true, plansShapes: false, remedy: '' },
  cuda: { providers: ['cuda'], platform: 'linux', takesBytes: true, plansShapes: true, remedy: nvidia },
  tensorrt: {
    providers: ['tensorrt', 'cuda'],
    platform: 'linux',
    takesBytes: true,
    plansShapes: true,
    remedy: `${nvidia}, and TensorRT 10 on the library path`,
  },
  // WebGPU has no 8 bit numbers, and CoreML no cast from them: both would leave the cast to the CPU.
  webgpu: {
    providers: ['webgpu'],
    takesBytes: false,
    plansShapes: false,
    remedy: 'It needs a GPU with a driver for Vulkan (Linux: libvulkan1), Metal or Direct3D 12',
  },
  coreml: {
    providers: ['coreml'],
    platform: 'darwin',
    takesBytes: false,
    plansShapes: true,
    remedy: 'It is there on macOS',
  },
  dml: {
    providers: ['dml'],
    platform: 'win32',
    takesBytes: true,
    plansShapes: true,
    remedy: 'It is there on Windows, with a GPU for Direct3D 12',
  },
};

/**
 * What `auto` tries before the CPU. WebGPU, CoreML and TensorRT are used only when named: a Vulkan in software would be
 * slower than the CPU, and none of the three has been measured.
 */
const autoTries: Partial<Record<NodeJS.Platform, DeviceName>> = { linux: 'cuda', win32: 'dml' };

export interface Device extends Pick<DeviceKind, 'takesBytes' | 'plansShapes'> {
  /** As it is named with `--device`: `cpu`, `cuda:1`. */
  name: string;
  providers: Providers;
  /** Why `auto` did not take the GPU. */
  fallback: string | undefined;
}

/**
 * The device asked for, after a small graph has run on it; `auto` is the CPU where there is no GPU.
 *
 * @param asked a device's name, with `:N` the Nth of its kind, or `auto`
 * @throws DEVICE_UNAVAILABLE where a named one is not there
 */
export async function openDevice(
  asked: string,
  platform: NodeJS.Platform = process.platform,
): Promise<Device> {
  if (asked !== 'auto') {
    const missing = await whyMissing(asked, platform);
    if (missing === undefined) return deviceOf(asked);
    throw new ClipfleetError(
      'DEVICE_UNAVAILABLE',
      `Expected the device ${asked}, got: ${missing}. ${remedyOf(asked)}. Or use --device cpu.`,
    );
  }
  const gpu = autoTries[platform];
  const missing = gpu && (await whyMissing(gpu, platform));
  if (gpu && missing === undefined) return deviceOf(gpu);
  return { ...deviceOf('cpu'), fallback: gpu && `no ${gpu}: ${missing}` };
}

function kindOf(device: string): DeviceKind {
  return kinds[device.split(':')[0] as DeviceName];
}

function deviceOf(name: string): Device {
  const { providers, takesBytes, plansShapes } = kindOf(name);
  const index = name.split(':')[1];
  const numbered = providers.map((provider) =>
    index === undefined ? provider : { name: provider, deviceId: Number(index) },
  );
  return { name, providers: numbered, takesBytes, plansShapes, fallback: undefined };
}

/** The kinds of devices that a platform may have. */
export function devicesOf(platform: NodeJS.Platform): string[] {
  return Object.entries(kinds).flatMap(([name, kind]) =>
    (kind.platform ?? platform) === platform ? [name] : [],
  );
}

/** What `auto` tries before the CPU; undefined where that is all it takes. */
export function autoDevice(platform: NodeJS.Platform): string | undefined {
  return autoTries[platform];
}

/** What a user can do where a device is missing, as a sentence without its stop. */
export function remedyOf(device: string): string {
  return kindOf(device).remedy;
}

/** Why a device cannot be used here; undefined where a small graph ran on it. */
export async function whyMissing(name: string, platform: NodeJS.Platform): Promise<string | undefined> {
  if (name === 'cpu') return undefined;
  const only = kindOf(name).platform ?? platform;
  if (only !== platform) return `a machine of the platform ${platform}`;
  try {
    await tryProviders(deviceOf(name).providers, probe());
    return undefined;
  } catch (error) {
    // Native errors go on with a place in onnxruntime's sources, and end with a line break or a stop.
    const reason = (error as Error).message.trim().split('\n')[0]!;
    return reason.replace(/^\/\S+ .*was false\. /, '').replace(/\.$/, '');
  }
}

/** A graph that adds a number to itself: enough to make a provider load its libraries and find its device. */
function probe(type: typeof dataType.float | typeof dataType.float16 = dataType.float): Uint8Array {
  return onnxModel(17, [
    node('Cast', ['x'], ['number'], { to: type }),
    node('Add', ['number', 'number'], ['sum']),
    node('Cast', ['sum'], ['y'], { to: dataType.float }),
    graphValue(graphField.input, 'x', dataType.float, [1]),
    graphValue(graphField.output, 'y', dataType.float, [1]),
  ]);
}

/** Whether a device computes in float16: the CPU would cast before and after each step, and not every GPU can. */
export async function computesInHalf({
  name,
  providers,
}: Pick<Device, 'name' | 'providers'>): Promise<boolean> {
  if (name === 'cpu') return false;
  return tryProviders(providers, probe(dataType.float16)).then(
    () => true,
    () => false,
  );
}
