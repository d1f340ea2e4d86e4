import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../src/shared/errors.ts';
import { withoutSecrets } from '../../src/shared/withoutSecrets.ts';

test('of a URL its user, password and query are left out, and nothing else of the text', () => {
  for (const [text, said] of [
    ['https://a.example/list.csv', 'https://a.example/list.csv'],
    ['https://me:secret@a.example/list.csv: line 3', 'https://***@a.example/list.csv: line 3'],
    ["got 'https://a.example/l.csv?X-Sig=secret&e=1' here", "got 'https://a.example/l.csv?***' here"],
    [
      's3://bucket/a@b.jpg and https://b.example/@scope/x',
      's3://bucket/a@b.jpg and https://b.example/@scope/x',
    ],
    ['what is https://a.example? A place.', 'what is https://a.example? A place.'],
  ] as const) {
    assert.equal(withoutSecrets(text), said);
  }
});

test('no message of an error tells them', () => {
  const { message } = new ClipfleetError(
    'SOURCE_INVALID',
    'https://me:secret@a.example/l.csv?sig=secret: broken',
  );
  assert.doesNotMatch(message, /secret/);
});

test('of a URL that is none, all before the last @ may be the password', () => {
  assert.equal(withoutSecrets('at redis://:p@ss/w#rd:x?%@host:6399'), 'at redis://***@host:6399');
  assert.equal(withoutSecrets('got https://user:pa/ss@host/list.csv'), 'got https://***@host/list.csv');
  assert.equal(
    withoutSecrets('got https://cdn.example/npm/a@1.2/b.jpg'),
    'got https://cdn.example/npm/a@1.2/b.jpg',
  );
});
