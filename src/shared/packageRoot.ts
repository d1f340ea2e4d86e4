import { fileURLToPath } from 'node:url';

/** The folder of package.json. Compiled, this file is three folders below it: `dist/src/shared`. */
const root = new URL('../../../', import.meta.url);

/** The path of a file or folder that the package ships, such as `models/demo`. */
export function packaged(path: string): string {
  return fileURLToPath(new URL(path, root));
}
