// A decoder where the optional package `heic-decode` is not installed, so that `heif-convert` is what reads a HEIC.
import Module from 'node:module';

const modules = Module as unknown as { _resolveFilename(name: string, ...rest: unknown[]): string };
const resolve = modules._resolveFilename;
modules._resolveFilename = (name, ...rest) => {
  if (name !== 'heic-decode') return resolve(name, ...rest);
  throw Object.assign(new Error('It is not installed.'), { code: 'MODULE_NOT_FOUND' });
};
await import('../../../src/worker/decoders/decoderChild.js' as string);
