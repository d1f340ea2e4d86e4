import cliProgress from 'cli-progress';

interface Received {
  file: string;
  receivedBytes: number;
  totalBytes: number;
}

/** On a terminal a bar for the file at hand, else a line when a file begins and one when it is there. */
export function createDownloadProgress(stream: NodeJS.WriteStream = process.stderr) {
  return stream.isTTY ? createBar(stream) : createLines(stream);
}

function createBar(stream: NodeJS.WriteStream) {
  let bar: cliProgress.SingleBar | undefined;
  let current = '';
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    update({ file, receivedBytes, totalBytes }: Received): void {
      if (file !== current) {
        stop();
        current = file;
        bar = new cliProgress.SingleBar({
          stream,
          format: '{bar} {file} {megabytes} MB, {eta} s left',
          barsize: 28,
          barCompleteChar: '█',
          barIncompleteChar: '░',
          hideCursor: true,
          linewrap: false,
          gracefulExit: false,
        });
        bar.start(totalBytes, receivedBytes, { file, megabytes: megabytes(totalBytes) });
      }
      bar?.update(receivedBytes);
    },
    stop,
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
