// The thread of the parent that owns the decoders: their pipes are read and written here, so that large images and many
// children cost the main thread one message in and one out. What is decoded where is decided in decodeSchedule.ts.

import { workerData } from 'node:worker_threads';
import { type Answered, serveThread } from '../onnx/threadServer.ts';
import type { DecodeRequest, DecoderSetup, Ending } from './decoderMessages.ts';
import { type DecoderAnswer, type DecoderProcess, startDecoder } from './decoderProcess.ts';

/** What the thread is asked; `decoder` is the number that the asking side gave it. */
export type DecoderCommand =
  | { kind: 'start'; decoder: number }
  | { kind: 'decode'; decoder: number; request: DecodeRequest; bytes?: Uint8Array }
  | { kind: 'forget'; decoder: number; id: number }
  | { kind: 'end'; decoder: number }
  | { kind: 'endAll' };

/** A decoder is gone; said after the answers to what it was asked. */
export interface DecoderGone {
  gone: number;
}

/** What the thread is started with. */
export interface ThreadData {
  setup: DecoderSetup;
  /** Path of what a decoder runs. */
  program: string;
}

const { setup, program } = workerData as ThreadData;
const decoders = new Map<number, DecoderProcess>();

await serveThread<DecoderCommand, undefined, DecoderGone>(
  async (tell) => ({ ready: undefined, answer: (command) => answer(command, tell) }),
  'INTERNAL',
  { inOrder: false },
);

async function answer(command: DecoderCommand, tell: (gone: DecoderGone) => void): Promise<Answered> {
  switch (command.kind) {
    case 'start': {
      const { decoder } = command;
      const started = startDecoder(setup, program);
      decoders.set(decoder, started);
      const ending = await started.started;
      const forgetIt = () => {
        decoders.delete(decoder);
        tell({ gone: decoder });
      };
      void started.ended.then(forgetIt);
      return { answer: ending satisfies Ending | undefined };
    }
    case 'decode': {
      const { decoder, request, bytes } = command;
      const answered = await decoders.get(decoder)?.decode(request, bytes);
      return moved(answered ?? { ended: { why: 'killed', how: 'it was gone' }, begun: false });
    }
    case 'forget':
      decoders.get(command.decoder)?.forget(command.id);
      return { answer: undefined };
    case 'end':
      await decoders.get(command.decoder)?.end();
      return { answer: undefined };
    case 'endAll':
      await Promise.all([...decoders.values()].map((decoder) => decoder.end()));
      return { answer: undefined };
  }
}

function moved(answered: DecoderAnswer): Answered {
  if ('ended' in answered) return { answer: answered };
  return { answer: answered, moved: [answered.pixels.buffer] };
}
