import { ClipfleetError } from '../../shared/errors.ts';

/** One line of the doctor: what was looked at, how it is, and what to do where it is not well. */
export interface Finding {
  level: 'ok' | 'warning' | 'fault';
  /** What was looked at, in a word or two. */
  about: string;
  says: string;
  /** What to do; there is one beside every warning and fault, unless `says` has it. */
  remedy?: string;
}

/** Things that are looked at together. */
export interface Examination {
  /** The name of the group, and of the line where all that can be said is that it failed. */
  group: string;
  limitMs: number;
  look(signal: AbortSignal): Promise<Finding[]>;
}

export const ok = (about: string, says: string): Finding => ({ level: 'ok', about, says });

export const warning = (about: string, says: string, remedy?: string): Finding => ({
  ...{ level: 'warning', about, says },
  ...(remedy !== undefined && { remedy }),
});

export const fault = (about: string, says: string, remedy?: string): Finding => ({
  ...{ level: 'fault', about, says },
  ...(remedy !== undefined && { remedy }),
});

/** An error as a finding: its message says the remedy where it is one that Clipfleet names. */
export function faultOf(about: string, error: unknown): Finding {
  if (error instanceof ClipfleetError) return fault(about, `${error.code}: ${error.message}`);
  return fault(about, error instanceof Error ? error.message : String(error));
}

/** What a check finds. It ends at its limit, as a fault, whatever it waits for; and what it throws is a fault too. */
export async function findingsOf({ group, limitMs, look }: Examination): Promise<Finding[]> {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => {
      const says = `no answer within ${limitMs / 1_000} s`;
      resolve([fault(group, says, 'Look whether what it asks, a server, a disk or a driver, hangs.')]);
    }, limitMs);
  });
  try {
    return await Promise.race([look(ended.signal).catch((error) => [faultOf(group, error)]), late]);
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}
