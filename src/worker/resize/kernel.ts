import { type Resampler, resamplePlain } from './resample.ts';
import { createSimdResampler } from './simdKernel.ts';

const simd = createSimdResampler();

/** Which of the two resizes here. */
export const kernelName = simd ? 'WebAssembly SIMD' : 'plain JavaScript';

/** Resizing, the fastest way there is on this machine: 0.1 to 6 ms of the caller's thread (docs/parity.md). */
export const resample: Resampler = simd ?? resamplePlain;
