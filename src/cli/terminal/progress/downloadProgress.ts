import { createBar } from './bar.ts';

interface Received {
  file: string;
  receivedBytes: number;
  totalBytes: number;
}

/** On a terminal a bar for the file at hand, else a line when a file begins and one when it is there. */
export function createDownloadProgress(stream: NodeJS.WriteStream = process.stderr) {
  return {
    announce: announceTo(stream),
    ...(stream.isTTY ? createBarProgress(stream) : createLines(stream)),
  };
}

/** How much is going to be downloaded, before the first byte of it. */
function announceTo(stream: NodeJS.WriteStream) {
  return ({ files, bytes }: { files: number; bytes: number }) => {
    stream.write(`To be downloaded: ${files} file${files === 1 ? '' : 's'}, ${megabytes(bytes)} MB\n`);
  };
}

function createBarProgress(stream: NodeJS.WriteStream) {
  const bar = createBar(stream);
  let current = '';
  return {
    update({ file, receivedBytes, totalBytes }: Received): void {
      if (file !== current) bar.stop();
      current = file;
      const text = `${megabytes(receivedBytes)} of ${megabytes(totalBytes)} MB, ${file}`;
      bar.update(receivedBytes, totalBytes, text);
    },
    stop: bar.stop,
  };
}

function createLines(stream: NodeJS.WriteStream) {
  let current = '';
  return {
    update({ file, receivedBytes, totalBytes }: Received): void {
      if (file !== current) stream.write(`Downloading ${file}, ${megabytes(totalBytes)} MB\n`);
      current = file;
      if (receivedBytes === totalBytes) stream.write(`Downloaded ${file}\n`);
    },
    stop() {},
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
