import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findGpuLibraries } from '../../worker/onnx/gpuLibraries.ts';
import { autoDevice, devicesOf, remedyOf } from '../../worker/session/devices.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

const run = promisify(execFile);
/** A driver that takes longer to say that it is there is no use to a worker. */
const PROBE_MS = 20_000;
const DRIVER_MS = 5_000;

/**
 * Every device that this platform may have, after a small graph has run on it in a process of its own, and the one that a worker would
 * take.
 */
export async function lookAtDevices(asked: string): Promise<{ findings: Finding[]; device: string }> {
  const named = asked === 'auto' ? [] : [asked];
  const devices = [...new Set([...named, ...devicesOf(process.platform)])];
  const driver = await nvidiaDriver();
  const looks = await Promise.all(devices.map((device) => look(device, { asked, driver })));
  const gpu = autoDevice(process.platform);
  const isUsable = looks.some(({ finding, usable }) => usable && finding.about === gpu);
  const device = asked === 'auto' ? (isUsable ? gpu! : 'cpu') : asked;
  const findings = [
    ...(driver === undefined ? [] : [ok('NVIDIA', driver)]),
    ...looks.map(({ finding }) => finding),
    ok('--device', asked === 'auto' ? `auto takes ${device}` : asked),
  ];
  return { findings, device };
}

interface Seen {
  asked: string;
  /** What NVIDIA's driver says of its GPUs; undefined where there is none. */
  driver: string | undefined;
}

async function look(device: string, { asked, driver }: Seen): Promise<{ finding: Finding; usable: boolean }> {
  const why = await whyMissing(device);
  if (why === undefined) return { finding: ok(device, 'a graph ran on it'), usable: true };
  return { finding: await unusable(device, why, { asked, driver }), usable: false };
}

async function unusable(device: string, why: string, { asked, driver }: Seen): Promise<Finding> {
  const libraries = await librariesText(device);
  const says = `not usable: ${why}${libraries}`;
  if (device === asked) return fault(device, says, `${remedyOf(device)}. Or use --device cpu.`);
  // A machine without the hardware lacks nothing.
  const isThere = device === 'cuda' && driver !== undefined;
  if (isThere) return warning(device, says, `${remedyOf(device)}.`);
  return ok(device, /^(cuda|tensorrt)/.test(device) ? `no NVIDIA driver here; ${says}` : says);
}

/** Undefined where a graph ran on the device. */
async function whyMissing(device: string): Promise<string | undefined> {
  const program = fileURLToPath(new URL('./deviceProbe.js', import.meta.url));
  try {
    const { stdout } = await run(process.execPath, [program, device], {
      timeout: PROBE_MS,
      killSignal: 'SIGKILL',
    });
    return (JSON.parse(stdout.slice(stdout.lastIndexOf('{'))) as { why: string | null }).why ?? undefined;
  } catch (error) {
    const { killed, signal, code } = error as { killed?: boolean; signal?: string; code?: unknown };
    if (killed) return `no answer within ${PROBE_MS / 1_000} s`;
    return `the process that tried it ended by ${signal ?? `exit code ${code}`}`;
  }
}

/** Of a provider for NVIDIA: what the loader finds and what not. Empty for other devices. */
async function librariesText(device: string): Promise<string> {
  const kind = device.split(':')[0];
  if (process.platform !== 'linux' || (kind !== 'cuda' && kind !== 'tensorrt')) return '';
  try {
    const { provider, isInstalled, missing, found } = await findGpuLibraries(kind);
    const parts = [
      ...(isInstalled ? [] : [`${provider} is not installed`]),
      ...(missing.length > 0 ? [`the loader does not find ${missing.join(', ')}`] : []),
      `found of CUDA and cuDNN: ${found.join(', ') || 'nothing'}`,
    ];
    return `; ${parts.join('; ')}`;
  } catch (error) {
    return `; which libraries are there is not known: ${(error as Error).message.split('\n')[0]}`;
  }
}

/** The GPUs of NVIDIA's driver, by its own program; undefined where there is neither. */
async function nvidiaDriver(): Promise<string | undefined> {
  try {
    const what = '--query-gpu=name,memory.total,driver_version';
    const { stdout } = await run('nvidia-smi', [what, '--format=csv,noheader'], { timeout: DRIVER_MS });
    return stdout.trim().split('\n').join('; ');
  } catch {
    return existsSync('/proc/driver/nvidia/version')
      ? 'a driver that nvidia-smi does not speak of'
      : undefined;
  }
}
