import { isIP } from 'node:net';
import { ClipfleetError } from './shared/errors.ts';
import { withDeadline } from './worker/fetch/fetch.ts';
import { createGuardedAgent, isPublicAddress, lookUpHere } from './worker/fetch/guardedAgent.ts';

export interface GuardedPostOptions {
  allowPrivateAddresses: boolean;
  timeoutMs: number;
  userAgent: string;
}

/** Sends to addresses that strangers named, by the rules by which images are read from them: no private address, whatever a name leads to. */
export function createGuardedPost({ allowPrivateAddresses, timeoutMs, userAgent }: GuardedPostOptions) {
  const isAllowed = allowPrivateAddresses ? () => true : isPublicAddress;
  const agent = createGuardedAgent(isAllowed, timeoutMs, lookUpHere);
  return {
    /** Whether the host of a URL is written as an address that nothing is sent to. What names lead to is seen when something is sent. */
    refuses(url: string): boolean {
      const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
      return isIP(host) !== 0 && !isAllowed(host);
    },

    /** Resolves to the status of the answer; redirects are not followed. Rejects where none comes in time, or none may be asked for. */
    async post(url: string, headers: Record<string, string>, body: string): Promise<number> {
      const { origin, pathname, search } = new URL(url);
      const path = pathname + search;
      return withDeadline(timeoutMs, undefined, async (signal) => {
        const sent = { ...headers, 'user-agent': userAgent };
        const answer = await agent.request({ origin, path, method: 'POST', headers: sent, body, signal });
        answer.body.on('error', () => {}).destroy();
        return answer.statusCode;
      }).catch((error) => {
        throw blockedAs(error) ?? error;
      });
    },
    close: () => agent.close(),
  };
}

/** The guard speaks of images. */
function blockedAs(error: unknown): Error | undefined {
  const { cause } = error as { cause?: unknown };
  const blocked = [error, cause].find(
    (one) => one instanceof ClipfleetError && one.code === 'IMAGE_ADDRESS_BLOCKED',
  );
  return blocked
    ? new Error('Expected a public address, but the host is none.', { cause: error })
    : undefined;
}
