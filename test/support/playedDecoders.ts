import type { TestContext } from 'node:test';
import type { ClipfleetError } from '../../src/shared/errors.ts';
import type { DecodeTask } from '../../src/worker/decoders/decoderCrew.ts';
import type { DecoderReply, Ending } from '../../src/worker/decoders/decoderMessages.ts';
import type { DecoderAnswer } from '../../src/worker/decoders/decoderProcess.ts';
import { createDecodeSchedule } from '../../src/worker/decoders/decodeSchedule.ts';

const limits = { cpuMs: 1_000, readMs: 1_000, memoryBytes: 1e9 };
/** All that follows from what has happened so far, promise after promise. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A schedule of images, its decoders in the hands of the test, and a clock that stands until it is moved. */
export function playDecoders(t: TestContext, { decoders = 2, pixels = 100, free = 10 } = {}) {
  const clock = { ms: 0 };
  const starts = new Map<number, (ending?: Ending) => void>();
  const given: { decoder: number; id: number; room: number; answer: (answer: DecoderAnswer) => void }[] = [];
  const done: string[] = [];
  const forgotten: number[] = [];
  const ended: number[] = [];
  const replaced: boolean[] = [];
  const lost: ClipfleetError[] = [];
  let begun = 0;
  const schedule = createDecodeSchedule(
    {
      start: (decoder) => new Promise((resolve) => starts.set(decoder, resolve)),
      decode: (decoder, { id, room }) => new Promise((answer) => given.push({ decoder, id, room, answer })),
      forget: (_, id) => void forgotten.push(id),
      end: (decoder) => void ended.push(decoder),
    },
    { room: { decoders, pixels, free }, limits },
    {
      onEnded: (withImage) => void replaced.push(withImage),
      onBegin() {
        begun++;
        return () => begun--;
      },
      onPixels: ({ id }) => void done.push(`${id}`),
      onFailed: ({ id }, { code }) => void done.push(`${id} ${code}`),
      onLost: (error) => void lost.push(error),
    },
    () => clock.ms,
  );
  t.after(() => schedule.stop());
  const answer = async (id: number, answer: DecoderAnswer) => {
    const place = given.findIndex((one) => one.id === id);
    given.splice(place, 1)[0]!.answer(answer);
    await settled();
  };
  const reply = (id: number, what: object) =>
    answer(id, {
      reply: { id, ...what } as Exclude<DecoderReply, { ready: true }>,
      pixels: new Uint8Array(),
    });
  return {
    clock,
    starts,
    done,
    forgotten,
    ended,
    /** Of each that ended by itself, whether it had an image. */
    replaced,
    lost,
    schedule,
    begun: () => begun,
    /** What decoders have: `DECODER:IMAGE`, in the order in which it was given. */
    given: () => given.map(({ decoder, id }) => `${decoder}:${id}`),
    roomOf: (id: number) => given.find((one) => one.id === id)?.room,
    async ready(decoder: number, ending?: Ending) {
      starts.get(decoder)!(ending);
      starts.delete(decoder);
      await settled();
    },
    add(id: number, urgent = false): DecodeTask {
      const bytes = new Uint8Array();
      const task = { id, urgent, digest: false, file: undefined, bytes, pixels: undefined, deaths: 0 };
      schedule.add(task);
      return task;
    },
    pixels: (id: number) => reply(id, { width: 1, height: 1 }),
    needs: (id: number, needs: number) => reply(id, { needs }),
    forgets: (id: number) => reply(id, { forgotten: true }),
    fails: (id: number) => reply(id, { failed: { code: 'IMAGE_CORRUPT', message: 'x' } }),
    dies: (id: number, how: Ending, begun = true) => answer(id, { ended: how, begun }),
  };
}
