/** What PostgreSQL said of an error, by the first letters of its SQLSTATE (Appendix A of its manual). */
const passingClasses: readonly string[] = [
  '08', // connections
  '25006', // read-only: it was demoted
  '40', // deadlock, serialization
  '53', // disk, memory or connections are used up
  '55', // a lock is not to be had
  '57', // shut down, starting, or the statement was cancelled
  '58', // errors of its system
];

/** Values that it does not take, or that it was given twice: another try would end the same. */
const dataClasses: readonly string[] = ['21', '22', '23', '54'];

/** An error with which the server answered; others are of the connection. `code` is its SQLSTATE. */
interface Answer extends Error {
  code: string;
  severity: string;
}

function isAnswer(error: unknown): error is Answer {
  return error instanceof Error && 'severity' in error && 'code' in error;
}

function isOf(classes: readonly string[], { code }: Answer): boolean {
  return classes.some((beginning) => code.startsWith(beginning));
}

/** Whether the server is away, full or on its way up or down: the same statement will do once it is back. */
export function passes(error: unknown): boolean {
  if (isAnswer(error)) return isOf(passingClasses, error);
  return error instanceof Error && !(error instanceof TypeError || error instanceof RangeError);
}

/** What the server answers to rows that it does not take. */
export type DataError = Answer;

/** Whether it is the rows that the server does not take. */
export function isOfData(error: unknown): error is DataError {
  return isAnswer(error) && isOf(dataClasses, error);
}
