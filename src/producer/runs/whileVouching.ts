import { VOUCHED_MS } from '../../shared/runs/vouching.ts';

/** Does the work, and says again and again meanwhile that its producer lives. What saying fails with, the work fails with too. */
export async function whileVouching<T>(vouch: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  let isSaying = false;
  const timer = setInterval(async () => {
    if (isSaying) return;
    isSaying = true;
    await vouch().catch(() => {});
    isSaying = false;
  }, VOUCHED_MS / 3);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
