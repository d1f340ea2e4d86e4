import { commandErrors } from './commandErrors.ts';
import { imageErrors } from './imageErrors.ts';
import { requestErrors } from './requestErrors.ts';

/**
 * Every failure Clipfleet can name, in one closed list. The code is stable: programs switch on it, never on the
 * words. Whether another attempt can help is a property of the code, and nothing else decides it.
 *
 * `scope` says what is lost: one image (it gets a `failed` row), one job (all its images get `failed` rows, or, when
 * not even the run can be read from it, it stays in the queue's failed set), or the whole command (exit code 1).
 */
export const errorTable = {
  // One image.
  ...imageErrors,

  // One job.
  JOB_INVALID: { retry: false, scope: 'job', says: 'The job does not have the wire format.' },
  JOB_NEWER: {
    retry: true,
    scope: 'job',
    says: 'The job has a newer wire version than this worker can read.',
  },
  LABEL_SET_UNKNOWN: { retry: false, scope: 'job', says: 'No label set is stored under the id.' },
  LABEL_NOT_EMBEDDED: { retry: false, scope: 'job', says: 'The text tower gives no embedding for a prompt.' },
  LABEL_SET_INVALID: {
    retry: false,
    scope: 'job',
    says: 'The label set does not have the format, or does not match its id.',
  },

  // One HTTP request.
  ...requestErrors,

  // The whole command.
  ...commandErrors,
} as const satisfies Record<
  string,
  { retry: boolean; scope: 'image' | 'job' | 'request' | 'command'; says: string }
>;

export type ErrorCode = keyof typeof errorTable;
