// A decoder that aborts, as native code does, in the middle of an image whose file is named for it.
import '../../../src/worker/decoders/decoderChild.ts';

const MARK = 'crash-me';

process.stdin.on('data', (piece: Buffer) => {
  // Behind the decoder's own listener, which has begun with the image by now.
  if (piece.includes(MARK)) process.abort();
});
