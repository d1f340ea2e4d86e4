import { readFileSync } from 'node:fs';
import { packaged } from './packageRoot.ts';

/** This package's version, as its package.json has it. */
export const { version } = JSON.parse(readFileSync(packaged('package.json'), 'utf8')) as { version: string };
