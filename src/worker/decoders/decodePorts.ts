import type { ClipfleetError } from '../../shared/errors.ts';
import type { DecodeTask } from './decoderCrew.ts';
import type { DecodeRequest, Ending } from './decoderMessages.ts';
import type { DecoderAnswer } from './decoderProcess.ts';

/** The decoders, by number. */
export interface DecoderHost {
  /** Resolves to undefined when it is ready, to how it ended where it never is. */
  start(decoder: number): Promise<Ending | undefined>;
  decode(decoder: number, request: DecodeRequest, bytes?: Uint8Array): Promise<DecoderAnswer>;
  /** A request that has not begun comes back as forgotten. */
  forget(decoder: number, id: number): void;
  end(decoder: number): void;
}

/** What the schedule tells of the images. */
export interface ScheduleEvents {
  /** An image has its turn in a decoder; what this returns is called when it has left it. */
  onBegin(): () => void;
  /** A decoder ended by itself. */
  onEnded(withImage: boolean): void;
  /** The image is done. */
  onPixels(task: DecodeTask, answer: Extract<DecoderAnswer, { reply: object }>): void;
  onFailed(task: DecodeTask, error: ClipfleetError): void;
  /** No decoder can be started: nothing will be decoded any more. */
  onLost(error: ClipfleetError): void;
}
