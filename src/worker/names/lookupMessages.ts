import type { LookupAddress } from 'node:dns';

/** To the look-up process. */
export interface LookupRequest {
  id: number;
  name: string;
}

/** From the look-up process: addresses, or the code of getaddrinfo's error as Node names it. */
export type LookupAnswer =
  | { id: number; addresses: LookupAddress[] }
  | { id: number; code: string; message: string };
