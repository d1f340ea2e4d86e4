// A GPU in software for the WebGPU provider: SwiftShader, which Debian's chromium carries, behind Vulkan's loader.
import { execFileSync } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './fleet.ts';
import { neededProgram } from './wider.ts';

const driver = neededProgram('/usr/lib/chromium/vk_swiftshader_icd.json');

/** What Vulkan's loader finds in the environment: SwiftShader alone. Older loaders know the second name. */
export const softwareGpu = { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };

const layer = {
  file_format_version: '1.1.2',
  layer: {
    name: 'VK_LAYER_CLIPFLEET_lose_device',
    type: 'GLOBAL',
    library_path: './libloseDevice.so',
    api_version: '1.3.0',
    implementation_version: '1',
    description: 'Loses the device once a file exists.',
    functions: {
      vkGetInstanceProcAddr: 'loseGetInstanceProcAddr',
      vkGetDeviceProcAddr: 'loseGetDeviceProcAddr',
    },
  },
};

export interface LosableGpu {
  /** The GPU's environment, with what loses it. */
  env: Record<string, string>;
  /** From now on every submission fails with VK_ERROR_DEVICE_LOST. */
  lose(): Promise<void>;
}

/** The GPU in software with a Vulkan layer that can lose its device, compiled into `folder` from `loseDevice.c`. */
export async function losableGpu(folder: string): Promise<LosableGpu> {
  const source = join(folder, 'loseDevice.c');
  await copyFile(join(repository, 'test/support/loseDevice.c'), source);
  const library = join(folder, 'libloseDevice.so');
  execFileSync(neededProgram('gcc'), [
    '-Wall',
    '-Wextra',
    '-Werror',
    '-shared',
    '-fPIC',
    '-o',
    library,
    source,
  ]);
  await writeFile(join(folder, 'loseDevice.json'), JSON.stringify(layer));
  const lost = join(folder, 'device-lost');
  return {
    env: {
      ...softwareGpu,
      VK_LAYER_PATH: folder,
      VK_INSTANCE_LAYERS: layer.layer.name,
      LOSE_DEVICE_AT: lost,
    },
    lose: () => writeFile(lost, ''),
  };
}
