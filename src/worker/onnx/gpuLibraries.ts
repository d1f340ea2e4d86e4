import { execFile } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIMIT_MS = 5_000;

/**
 * What ONNX Runtime's providers for NVIDIA load, of CUDA 12, cuDNN 9 and TensorRT 10
 * (https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html#requirements): the names they are linked with.
 */
const wanted = {
  cuda: [
    ...['libcudart.so.12', 'libcublas.so.12', 'libcublasLt.so.12', 'libcurand.so.10', 'libcufft.so.11'],
    'libcudnn.so.9',
  ],
  tensorrt: ['libnvinfer.so.10', 'libnvonnxparser.so.10', 'libcudart.so.12', 'libcudnn.so.9'],
} as const;

export type NvidiaProvider = keyof typeof wanted;

/** What a provider for NVIDIA needs on this machine, and what is there. */
export interface GpuLibraries {
  /** Path of ONNX Runtime's own library of the provider; where it should be, if it is not there. */
  provider: string;
  isInstalled: boolean;
  /** Names of libraries that the loader finds nowhere. */
  missing: string[];
  /** Of CUDA and cuDNN, the file that each name leads to: its own name says the version. */
  found: string[];
}

/**
 * Looks for the libraries of a provider for NVIDIA on Linux, as the system's loader does.
 *
 * @throws what `ldconfig` or `ldd` say where they cannot be run
 */
export async function findGpuLibraries(kind: NvidiaProvider): Promise<GpuLibraries> {
  const home = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const provider = join(home, 'bin/napi-v6/linux', process.arch, `libonnxruntime_providers_${kind}.so`);
  const known = await loaderPaths();
  const found = wanted[kind]
    .flatMap((name) => known.get(name) ?? [])
    .map((path) => basename(realpathSync(path)));
  const isInstalled = existsSync(provider);
  const missing = isInstalled ? await unresolved(provider) : wanted[kind].filter((name) => !known.has(name));
  return { provider, isInstalled, missing, found };
}

/** Name of a library → its path: what the loader's cache has, and before it the folders of LD_LIBRARY_PATH. */
async function loaderPaths(): Promise<Map<string, string>> {
  const { stdout } = await run('ldconfig', ['-p'], {
    timeout: LIMIT_MS,
    env: { PATH: `${process.env.PATH}:/sbin:/usr/sbin` },
  });
  const cached = [...stdout.matchAll(/^\s*(\S+) \(.*\) => (\S+)$/gm)].map(
    ([, name, path]) => [name!, path!] as const,
  );
  const named = (process.env.LD_LIBRARY_PATH ?? '')
    .split(':')
    .filter((folder) => folder !== '' && existsSync(folder));
  const files = named.flatMap((folder) =>
    readdirSync(folder).map((name) => [name, join(folder, name)] as const),
  );
  return new Map([...cached, ...files.reverse()]);
}

/** What a library is linked with and the loader does not find. */
async function unresolved(library: string): Promise<string[]> {
  const { stdout } = await run('ldd', [library], { timeout: LIMIT_MS });
  return [...stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name!);
}
