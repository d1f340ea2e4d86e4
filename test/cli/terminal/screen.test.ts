import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { createBar } from '../../../src/cli/terminal/progress/bar.ts';
import { columnsOf, say } from '../../../src/cli/terminal/screen.ts';

/** A terminal of so many columns that keeps what is written to it. */
function terminal(columns: number) {
  const stream = new PassThrough();
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const moves = () => true;
  const of = { isTTY: true, columns, cursorTo: moves, moveCursor: moves, clearLine: moves };
  return { stream: Object.assign(stream, of) as unknown as NodeJS.WriteStream, text: () => text };
}

test('a terminal has its columns, a pipe has no limit', () => {
  assert.equal(columnsOf({ isTTY: true, columns: 120 }), 120);
  assert.equal(columnsOf({ isTTY: true, columns: 0 }), 80, 'some say nothing of it');
  assert.equal(columnsOf({ isTTY: false, columns: 120 }), undefined);
});

test('a message takes the line of the bar, and a pipe gets it plain', () => {
  const { stream, text } = terminal(80);
  say('Warning: mind the owl', stream);
  assert.equal(text(), '\r\u001b[KWarning: mind the owl\n');
  const piped = Object.assign(new PassThrough().setEncoding('utf8'), { isTTY: false, columns: 0 });
  say('Warning: mind the owl', piped as unknown as NodeJS.WriteStream);
  assert.equal(piped.read(), 'Warning: mind the owl\n');
});

test('a bar and its text fit into a line, and the terminal goes on wrapping messages', () => {
  for (const columns of [40, 80, 120]) {
    const { stream, text } = terminal(columns);
    const bar = createBar(stream);
    bar.update(1, 2, `1/2 images, ${'フクロウ '.repeat(40)}`);
    bar.stop();
    const drawn = stripVTControlCharacters(text().replaceAll('\u001b', '\n\u001b'))
      .split(/[\r\n]/)
      .filter((piece) => piece.includes('images'));
    assert.ok(drawn.length > 0);
    for (const line of drawn) assert.ok(stringWidth(line) <= columns, `${stringWidth(line)} of ${columns}`);
    assert.ok(!text().includes('\u001b[?7l'), 'no line is cut off by the terminal');
  }
});
