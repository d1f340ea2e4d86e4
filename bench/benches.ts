import type { Bench } from './bench.ts';

/** All there are, in the order they run and stand on the page. A new one is a line here. */
export const benches: Record<string, () => Promise<Bench>> = {
  session: async () => (await import('./session.ts')).session,
  decode: async () => (await import('./decode.ts')).decode,
  pipeline: async () => (await import('./pipeline.ts')).pipeline,
  peers: async () => (await import('./peers.ts')).peers,
  prefix: async () => (await import('./prefix.ts')).prefix,
  checkpoint: async () => (await import('./checkpoint.ts')).checkpoint,
  scoring: async () => (await import('./scoring.ts')).scoring,
  latency: async () => (await import('./latency.ts')).latency,
  fleet: async () => (await import('./fleet.ts')).fleet,
  producer: async () => (await import('./producer.ts')).producer,
  memory: async () => (await import('./memory.ts')).memory,
};
