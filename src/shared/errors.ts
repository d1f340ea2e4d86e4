import { type ErrorCode, errorTable } from './errorTable.ts';
import { withoutSecrets } from './withoutSecrets.ts';

export { type ErrorCode, errorTable } from './errorTable.ts';

/**
 * The one error class. The message is a sentence that says what was expected, what came, and what to do. It goes to logs and
 * rows: what URLs in it tell beside a place is left out.
 */
export class ClipfleetError extends Error {
  override readonly name = 'ClipfleetError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(withoutSecrets(message), options);
    this.code = code;
  }

  /** Whether another attempt can help. */
  get retry(): boolean {
    return errorTable[this.code].retry;
  }
}

/** Any thrown thing as a ClipfleetError: its own code, or `fallback` around it. */
export function asClipfleetError(thrown: unknown, fallback: ErrorCode): ClipfleetError {
  if (thrown instanceof ClipfleetError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ClipfleetError(fallback, message, { cause: thrown });
}
