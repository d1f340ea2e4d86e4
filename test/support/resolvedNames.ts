import type { HostNames } from '../../src/worker/names/hostNames.ts';

/** For what is tested apart from names: each is known. */
export const resolvedNames: Pick<HostNames, 'standing' | 'nearAnswer'> = {
  standing: async () => ({ kind: 'known' }),
  nearAnswer: () => undefined,
};
