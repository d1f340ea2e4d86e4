import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { defineBench, table } from './bench.ts';
import { count } from './commonArguments.ts';
import { storedBytes } from './redisInfo.ts';
import { startFile, startQueue } from './workers.ts';

const says = `\`clipfleet enqueue\` of a gzipped CSV of ids and URLs, in a process of its own, with nobody taking the jobs and no high-water
mark: images a second from the command's start to its end, the most resident memory it had, and what Redis' \`used_memory\` grew by for
each image beyond its id and URL.`;

export const producer = defineBench({
  title: 'The producer, from a list to Redis',
  says,
  arguments: { images: count('2000000', 'Rows of the list.') },
  packages: ['bullmq', 'ioredis', 'redis-server'],
  async run({ images }, bed) {
    const list = join(bed.folder, 'list.csv.gz');
    bed.say(`writing a list of ${images} rows`);
    const texts = await writeList(list, images);
    const queue = await startQueue(bed);
    const before = await storedBytes(queue.redis);
    bed.say('enqueueing it');
    const flags = ['--model', 'bench@1:fp32', '--labels', 'a,b', '--run', 'r', '--high-water', '100000000'];
    const { seconds, residentMiB } = await runEnqueue(bed.folder, queue.dataDir, [list, ...flags]);
    const grown = (await storedBytes(queue.redis)) - before;
    const announced = (await queue.producer.runs.get('r'))?.images;
    if (announced !== images) throw new Error(`Expected ${images} images in the run, got ${announced}.`);
    const cells = [
      images.toLocaleString('en-US'),
      (images / seconds).toFixed(0),
      residentMiB.toFixed(0),
      ((grown - texts) / images).toFixed(1),
      (grown / images).toFixed(1),
    ];
    const head = [
      'images',
      'images/s',
      'most memory, MiB',
      'Redis, bytes an image beyond its texts',
      'with them',
    ];
    return `${table(head, [cells])}\n\nJobs of 64.`;
  },
});

/** Resolves to the bytes of all ids and URLs. */
async function writeList(path: string, images: number): Promise<number> {
  let texts = 0;
  function* rows() {
    yield 'id,url\n';
    for (let i = 0; i < images; i++) {
      const [id, url] = [`img-${i}`, `https://images.example.org/2026/${i}.jpg`];
      texts += id.length + url.length;
      yield `${id},${url}\n`;
    }
  }
  await pipeline(Readable.from(rows()), createGzip({ level: 1 }), createWriteStream(path));
  return texts;
}

/** Memory is the kernel's high-water mark of the process, looked at until it is gone. */
async function runEnqueue(cwd: string, dataDir: string, args: readonly string[]) {
  const command = [startFile, 'enqueue', '--data-dir', dataDir, ...args];
  const start = performance.now();
  const child = spawn(process.execPath, command, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  let residentMiB = 0;
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    residentMiB = Math.max(residentMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  }, 100);
  const [code] = await once(child, 'exit');
  clearInterval(timer);
  if (code !== 0) throw new Error(`enqueue ended with code ${code}.`);
  return { seconds: (performance.now() - start) / 1000, residentMiB };
}
