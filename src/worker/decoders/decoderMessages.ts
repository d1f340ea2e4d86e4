import type { ErrorCode } from '../../shared/errors.ts';
import type { LocalFile } from '../../shared/refs/imageSource.ts';
import type { DecodeOptions } from '../decode/decode.ts';
import type { Preprocessing } from '../resize/preprocessing.ts';
import type { VectorCachePlace } from '../vectorCache/cachedVector.ts';
import type { FileOptions } from './localFile.ts';

/** All that is the same for every image and decoder. */
export interface DecoderSetup {
  preprocessing: Preprocessing;
  decoding: Omit<DecodeOptions, 'admit' | 'helper'>;
  files: Omit<FileOptions, 'roots'> & { roots: [name: string, directory: string][] };
  limits: DecoderLimits;
  /** Where embeddings of files are cached, which are then not decoded. */
  vectorCache?: VectorCachePlace;
}

/** The first frame to a decoder. */
export interface DecoderStart extends DecoderSetup {
  /** Path of a folder that the decoder makes when it needs files of its own. Whoever ends it removes it. */
  scratch: string;
}

/** What ends a decoder, or refuses its image. A program that the decoder runs counts as part of it. */
export interface DecoderLimits {
  /** CPU time of one image, all threads of the decoder together. */
  cpuMs: number;
  /** Time until the bytes of a local file are there. */
  readMs: number;
  /** Resident memory of the decoder, bytes. */
  memoryBytes: number;
}

/** One image to decode. Its bytes are the frame's body where there is no file. */
export interface DecodeRequest {
  id: number;
  file?: LocalFile;
  /** Pixels that the image may have; one with more asks for room and is decoded later. */
  room: number;
  /** Whether that is room of its own. */
  isLarge: boolean;
  /** Whether the SHA-256 of the file is wanted. */
  digest: boolean;
}

/** Takes a request back that has not begun. */
export interface ForgetRequest {
  forget: number;
}

/** What a decoder says: that it is ready, then once of each request. Of an image its pixels, or its cached embedding, are the frame's body. */
export type DecoderReply =
  | { ready: true }
  | ({ id: number } & (
      | { width: number; height: number; digest?: string }
      | { embedded: true }
      | { failed: { code: ErrorCode; message: string } }
      | { needs: number }
      | { forgotten: true }
    ));

/** Why a decoder ended itself in the middle of an image. */
export type LastWord = 'cpu' | 'memory' | 'read';

/** How a decoder ended: by itself, by the clock of its parent, by a crash, or by a signal from outside. */
export interface Ending {
  why: LastWord | 'wall' | 'crash' | 'killed';
  /** For messages: `signal SIGSEGV`, `exit code 1`. */
  how: string;
}
