/**
 * The pipes of a decoder, by their file descriptors. Standard output is none of them: whatever a library prints there must
 * not end up between two frames.
 */
export const requestPipe = 0;
export const replyPipe = 3;
/** Written by the watching thread, which may not wait until a reply is written. */
export const lastWordPipe = 4;
