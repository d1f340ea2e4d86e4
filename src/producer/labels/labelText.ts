import { ClipfleetError } from '../../shared/errors.ts';

/**
 * A label file's bytes as text: UTF-8, or UTF-16 where its byte order mark says so, and nothing else. Labels of a wrongly
 * guessed encoding would look right in the file and be wrong to the model.
 *
 * @throws USAGE with the line
 */
export function labelText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const readable = new TextDecoder('utf-8').decode(bytes);
    const line = lineAt(readable, readable.indexOf('\uFFFD'));
    const message = `Line ${line}: expected UTF-8, got bytes that are not. Save the file as UTF-8.`;
    throw new ClipfleetError('USAGE', message);
  }
}

/** The number of the line that the offset is in, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
