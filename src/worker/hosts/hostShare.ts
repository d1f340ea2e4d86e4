import type { HostAnswer } from './hostRecord.ts';

/** After this time without a visit nothing is begun: what the host told others is known everywhere about a second later. */
const VALID_MS = 1_500;

/** This worker's share of what a host may be asked, and what it has under way. */
export interface HostShare {
  readonly slots: number;
  readonly starts: number;
  readonly inUse: number;
  /** Most that were in use since the last visit. */
  readonly peak: number;
  /** Requests that may begin now, where no more than `most` may be under way. */
  free(most: number): number;
  begin(): void;
  end(): void;
  /** A visit begins. Until it is answered only a share that is `kept` may be used. Returns the starts that it gives back. */
  visit(kept: boolean): number;
  grant(answer: HostAnswer): void;
}

export function createHostShare(): HostShare {
  let [slots, starts, inUse, peak] = [0, 0, 0, 0];
  let validUntil = 0;
  return {
    get slots() {
      return slots;
    },
    get starts() {
      return starts;
    },
    get inUse() {
      return inUse;
    },
    get peak() {
      return peak;
    },
    free(most) {
      if (performance.now() >= validUntil) return 0;
      return Math.min(Math.min(slots, most) - inUse, Math.floor(starts));
    },
    begin() {
      inUse++;
      starts--;
      peak = Math.max(peak, inUse);
    },
    end() {
      inUse--;
    },
    visit(kept) {
      const startsBack = Number.isFinite(starts) ? starts : 0;
      if (!kept) [slots, starts] = [0, 0];
      peak = inUse;
      return startsBack;
    },
    grant(answer) {
      ({ slots, starts } = answer);
      validUntil = performance.now() + VALID_MS;
    },
  };
}
