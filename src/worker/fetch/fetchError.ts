import { ClipfleetError, type ErrorCode } from '../../shared/errors.ts';
import { ConnectError } from '../hosts/connectError.ts';

const timeoutCodes = [
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
];

/** What a request failed with, as FETCH_FAILED or FETCH_TIMEOUT unless it is an error of ours. */
export function asFetchError(error: unknown): ClipfleetError {
  if (error instanceof ClipfleetError) return error;
  const { code, message } = explained(error);
  return new ClipfleetError(code, message, { cause: error });
}

/** The same of what kept a connection from being made. */
export function asConnectError(error: unknown): ClipfleetError {
  if (error instanceof ClipfleetError) return error;
  const { code, message } = explained(error);
  return new ConnectError(code, message, { cause: error });
}

function explained(error: unknown): { code: ErrorCode; message: string } {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  // Connecting to several addresses fails with an AggregateError whose message is empty: the code says it.
  const why = [code, message].filter((part) => part !== '').join(': ');
  return {
    code: timeoutCodes.includes(code) ? 'FETCH_TIMEOUT' : 'FETCH_FAILED',
    message: `Expected an image over HTTP, but the connection failed (${why}).`,
  };
}
