import { trouble } from './dom.js';

/** Resolves after so many milliseconds, or when the signal aborts. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Resolves when somebody can see the page. */
export function seen(signal) {
  return new Promise((resolve) => {
    const look = () => (!document.hidden || signal.aborted) && resolve();
    document.addEventListener('visibilitychange', look, { signal });
    signal.addEventListener('abort', look);
    look();
  });
}

/** Does the work now, and again so many milliseconds after its end, while the page is seen. What fails is said, and tried again. */
export async function repeat(ms, signal, work) {
  while (!signal.aborted) {
    await seen(signal);
    try {
      if (!signal.aborted) await work();
      if (!signal.aborted) trouble(undefined);
    } catch (error) {
      if (signal.aborted) return;
      trouble(
        error.code ? error.message : `The gateway does not answer. It is asked again. (${error.message})`,
      );
      // Who declined to give a key is not asked again at once.
      if (error.status === 401 || error.status === 404) return;
    }
    await pause(ms, signal);
  }
}
