import { setMaxListeners } from 'node:events';
import type { Hold, RunControl } from '../../shared/runs/runControl.ts';

/** Why images that have not begun should not begin: their run is held, or idle workers want them. */
export type CallBack = Hold | 'shared';

/** A chunk that this worker is working on. */
export interface InHand {
  /** Aborted when what has not begun should not begin. */
  readonly signal: AbortSignal;
  /** Why it was aborted. */
  readonly calledBack: CallBack | undefined;
  /** The worker has let go of it. */
  done(): void;
}

export interface WorkInHandOptions {
  control: Pick<RunControl, 'holds'>;
  /** Whether a worker of the lane has nothing to do. */
  isShareWanted: (lane: string) => Promise<boolean>;
  onError: (error: Error) => void;
}

/** How soon a worker notices that a run is cancelled or paused, or that another worker has nothing to do. */
const LOOK_MS = 500;

/**
 * The chunks a worker has, and what calls their images back before they begin.
 *
 * What has begun is finished: it is a few batches, and calling it back would lose its fetching and decoding.
 */
export function createWorkInHand({ control, isShareWanted, onError }: WorkInHandOptions) {
  const chunks = new Set<ChunkInHand>();
  let looksLater = false;

  async function look(): Promise<void> {
    const inHand = [...chunks];
    const holds = await control.holds([...new Set(inHand.map(({ run }) => run))]);
    const lanes = new Set(inHand.filter(({ canShare }) => canShare).map(({ lane }) => lane));
    const wanting = new Map<string, boolean>();
    for (const lane of lanes) wanting.set(lane, await isShareWanted(lane));
    for (const chunk of inHand) {
      const hold = holds.get(chunk.run);
      if (hold) chunk.callBack(hold);
      else if (chunk.canShare && wanting.get(chunk.lane)) chunk.callBack('shared');
    }
  }

  function lookLater(): void {
    if (looksLater) return;
    looksLater = true;
    const lookAndGoOn = async () => {
      await look().catch(onError);
      looksLater = false;
      if (chunks.size > 0) lookLater();
    };
    setTimeout(() => void lookAndGoOn(), LOOK_MS).unref();
  }

  return {
    /** @param canShare whether parts of it may be given to other workers */
    take(run: string, lane: string, canShare: boolean): InHand {
      const chunk = createInHand(run, lane, canShare, () => chunks.delete(chunk));
      chunks.add(chunk);
      lookLater();
      return chunk;
    },
  };
}

export type WorkInHand = ReturnType<typeof createWorkInHand>;

interface ChunkInHand extends InHand {
  run: string;
  lane: string;
  canShare: boolean;
  callBack(why: CallBack): void;
}

function createInHand(run: string, lane: string, canShare: boolean, done: () => void): ChunkInHand {
  const controller = new AbortController();
  // Each image that waits listens.
  setMaxListeners(0, controller.signal);
  let calledBack: CallBack | undefined;
  return {
    run,
    lane,
    canShare,
    signal: controller.signal,
    get calledBack() {
      return calledBack;
    },
    callBack(why) {
      // Of several reasons the first stands, but that a run is held is more than that others want its images.
      if (calledBack !== undefined && calledBack !== 'shared') return;
      calledBack = why;
      controller.abort();
    },
    done,
  };
}
