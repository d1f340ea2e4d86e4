/**
 * What the two threads of a decoder share: which image is in work and since when. The decoding thread writes it, the
 * watching thread (decoderWatch.ts) holds it against the limits, also while the other is busy in one long loop.
 */
export const phases = { idle: 0, reading: 1, decoding: 2 } as const;

export interface DecoderClock {
  /** Sleeps until an image is in work, then for `ms`; whether one still is. */
  sleep(ms: number): boolean;
  phase(): number;
  /** Since the image in work was begun: time on the wall, and CPU time of the process and of its helpers. */
  spent(): { wallMs: number; cpuMs: number };
  /** An image is begun: first its file is read. */
  begin(): void;
  /** Its bytes are there. */
  read(): void;
  /** It has its answer. */
  end(): void;
  /** The program that works for the image now, by its process id. */
  setHelper(pid: number | undefined): void;
  helper(): number | undefined;
  /** CPU time that the helper has used so far. */
  chargeHelper(pid: number, ms: number): void;
}

const PHASE = 0;
const WALL = 1;
const CPU = 2;
const HELPER = 3;
const HELPER_CPU = 4;
const CELLS = 5;

/** The memory of a clock, to be given to both threads. */
export const clockMemory = () => new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT);

/** Milliseconds fit into 32 bits for 24 days, and differences are right after that too. */
export function createClock(memory: SharedArrayBuffer): DecoderClock {
  const cells = new Int32Array(memory);
  const since = (cell: number, nowMs: number) => (nowMs - Atomics.load(cells, cell)) | 0;
  const set = (phase: number) => {
    Atomics.store(cells, PHASE, phase);
    Atomics.notify(cells, PHASE);
  };
  return {
    sleep(ms) {
      Atomics.wait(cells, PHASE, phases.idle);
      Atomics.wait(cells, WALL, Atomics.load(cells, WALL), ms);
      return Atomics.load(cells, PHASE) !== phases.idle;
    },
    phase: () => Atomics.load(cells, PHASE),
    spent: () => ({
      wallMs: since(WALL, wallMs()),
      cpuMs: since(CPU, cpuMs()) + Atomics.load(cells, HELPER_CPU),
    }),
    begin() {
      // The times before the phase: the watch must never see an image with the times of the one before.
      Atomics.store(cells, WALL, wallMs());
      Atomics.store(cells, CPU, cpuMs());
      Atomics.store(cells, HELPER_CPU, 0);
      set(phases.reading);
    },
    read: () => set(phases.decoding),
    end: () => set(phases.idle),
    setHelper: (pid = 0) => void Atomics.store(cells, HELPER, pid),
    helper: () => Atomics.load(cells, HELPER) || undefined,
    chargeHelper(pid, ms) {
      // One that ended meanwhile was seen as nothing, or half.
      if (Atomics.load(cells, HELPER) === pid) Atomics.store(cells, HELPER_CPU, Math.round(ms));
    },
  };
}

const wallMs = () => Math.round(Number(process.hrtime.bigint() / 1_000_000n)) | 0;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1_000) | 0;
}
