import { ClipfleetError } from '../../shared/errors.ts';
import type { DecoderLimits, Ending } from './decoderMessages.ts';
import { WALL_TIMES } from './decoderProcess.ts';

/** Decoders that may die of an image, the second one new and with nothing else in it. */
const DEATHS_MAX = 2;
/** The same where a signal from outside killed them, which says little about the image. */
const KILLS_MAX = 4;

/**
 * The error of an image whose decoder ended, or undefined where it is tried once more, alone.
 *
 * @param deaths decoders that ended with it so far
 */
export function afterEnding(
  { why, how }: Ending,
  deaths: number,
  { cpuMs, readMs, memoryBytes }: DecoderLimits,
): ClipfleetError | undefined {
  const isTriedAgain = deaths < (why === 'killed' ? KILLS_MAX : DEATHS_MAX);
  switch (why) {
    case 'cpu':
      return new ClipfleetError(
        'DECODE_TIMEOUT',
        `Expected pixels within ${cpuMs} ms of CPU time; shrink it, or raise --decode-timeout-ms.`,
      );
    case 'read':
      return new ClipfleetError(
        'FETCH_TIMEOUT',
        `Expected all bytes of the file within ${readMs} ms; allow more time if the disk or share is slow.`,
      );
    default:
      if (isTriedAgain) return undefined;
  }
  if (why === 'memory') {
    const message = `Expected to be decoded within ${memoryBytes} bytes of memory, also alone; shrink it, or raise --decode-memory-max.`;
    return new ClipfleetError('IMAGE_TOO_MUCH_MEMORY', message);
  }
  if (why === 'wall') {
    const message = `Expected pixels within ${WALL_TIMES} × ${cpuMs} ms, also alone; shrink it, or raise --decode-timeout-ms.`;
    return new ClipfleetError('DECODE_TIMEOUT', message);
  }
  const where = why === 'killed' ? '; a kernel that is out of memory does so' : ', also alone in a new one';
  return new ClipfleetError(
    'IMAGE_CRASHED_DECODER',
    `Expected pixels, but ${deaths} decoders ended with it (${how})${where}. Convert the image, or leave it out.`,
  );
}
