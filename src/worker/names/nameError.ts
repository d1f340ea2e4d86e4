import { ClipfleetError } from '../../shared/errors.ts';

/** A name has no address, or none came. */
export class NameError extends ClipfleetError {
  /** Whether there is an answer, and it says that the name does not exist. Otherwise nothing is known of the host. */
  readonly isAbsent: boolean;

  /** @param code of getaddrinfo's error, as Node names it, or ETIMEDOUT */
  constructor(name: string, code: string) {
    const isAbsent = code === 'ENOTFOUND' || code === 'EAI_ADDRFAMILY';
    const got = isAbsent ? 'it does not exist' : 'the name server gave no answer';
    super('FETCH_FAILED', `Expected an address of the name ${name}, but ${got} (${code}).`);
    this.isAbsent = isAbsent;
  }
}
