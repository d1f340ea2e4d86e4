// What the log says of a server that answers errors as fast as it is asked.
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createProducer } from '../../src/producer/producer.ts';
import { createLog } from '../../src/shared/log/log.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import type { Fleet } from '../support/fleet.ts';
import { addRun, openLaneHere } from '../support/laneInProcess.ts';
import { startRedisServer } from '../support/redisServer.ts';
import { until } from '../support/support.ts';

const LOOK_MS = 1_000;

interface Line {
  msg: string;
  time: string;
  times?: number;
  over?: boolean;
}

test('a server that was demoted: each event once, then its number at each look, then that it is over', async (t) => {
  const server = await startRedisServer(t);
  const lines: Line[] = [];
  const stream = new Writable({
    write(text, _, done) {
      lines.push(JSON.parse(String(text)) as Line);
      done();
    },
  });
  const log = createLog('warn', stream, LOOK_MS);
  const redis = await connectRedis({ url: server.url });
  let events = 0;
  redis.on('error', (error) => {
    events++;
    log.warn({ err: error }, 'Redis connection');
  });
  const producer = createProducer({ redis, onError: () => {} });
  await addRun({ producer } as Fleet, 40);
  const lane = openLaneHere({ redis, producer }, { log });
  await lane.ready;
  const of = (text: string) => lines.filter(({ msg }) => msg.endsWith(text));
  const said = () => of('Redis connection');
  await server.ask('REPLICAOF', '127.0.0.1', '1');
  const written = redis.set('x', '1');
  await until(
    () => said().filter(({ times }) => times !== undefined).length >= 2,
    'it is said with its number',
  );
  await server.ask('REPLICAOF', 'NO', 'ONE');
  await written;
  await until(() => said().at(-1)?.over, 'it is said that it is over');
  await until(async () => (await producer.runs.get('r'))?.state === 'complete', 'the run is complete');
  await lane.close();
  redis.disconnect();

  assert.ok(events > 10, `only ${events} events`);
  const firsts = said().filter(({ times }) => times === undefined);
  const overs = said().filter(({ over }) => over);
  const again = said().filter(({ times, over }) => times !== undefined && !over);
  assert.ok(firsts.length <= 2, `${firsts.length} beginnings`);
  const told = overs.reduce((sum, { times = 0 }) => sum + times, 0);
  assert.ok(told <= events && told > events - 3, `${told} told of ${events}`);
  const seconds = (Date.parse(said().at(-1)!.time) - Date.parse(said()[0]!.time)) / LOOK_MS;
  assert.ok(again.length <= seconds + 1, `${again.length} lines in ${seconds} looks`);
  // Of everything that was logged, whichever part of the program said it.
  assert.ok(lines.length < 30, `${lines.length} lines of ${events} events`);
});
