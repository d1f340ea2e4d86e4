import { connect } from 'node:net';

/** One connection, for a word with the server. It hangs up when nothing is heard for `silenceMaxMs`. */
export interface Line {
  /** The answer to an inline command; empty when the connection closed instead. */
  ask(command: string): Promise<string>;
  closed: Promise<void>;
  hangUp(): void;
}

/** Calls the server behind a Unix socket; undefined when nobody answers. */
export async function dial(socket: string, silenceMaxMs: number): Promise<Line | undefined> {
  const connection = connect(socket);
  const closed = new Promise<void>((resolve) => connection.once('close', () => resolve()));
  const opened = new Promise<true>((resolve) => connection.once('connect', () => resolve(true)));
  connection.on('error', () => {}); // 'close' follows.
  connection.setTimeout(silenceMaxMs, () => connection.destroy());
  connection.resume();
  if (!(await Promise.race([opened, closed]))) return undefined;
  return {
    async ask(command) {
      // Both answers that matter here fit one packet.
      const answer = new Promise<string>((resolve) =>
        connection.once('data', (data) => resolve(String(data))),
      );
      connection.write(`${command}\r\n`);
      return (await Promise.race([answer, closed])) ?? '';
    },
    closed,
    hangUp: () => connection.destroy(),
  };
}
