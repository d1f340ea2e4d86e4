import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDataUrl } from '../../../src/worker/fetch/fetchData.ts';

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

test('base64 comes out byte for byte, whatever stands before the comma', () => {
  const base64 = everyByte.toString('base64');
  for (const head of [
    'data:image/png;base64',
    'data:;base64',
    'DATA:image/jpeg;charset=x;BASE64',
    'data:; base64 ',
  ]) {
    assert.deepEqual(Buffer.from(readDataUrl(`${head},${base64}`, 256)), everyByte, head);
  }
});

test('base64 may be percent-encoded, hold white space, and lack its padding', () => {
  const base64 = Buffer.from([0xfb, 0xff, 0xfe, 0xff]).toString('base64');
  assert.equal(base64, '+//+/w==');
  for (const text of [base64, '%2B//%2B/w%3D%3D', '+//\n+/w', '%20+//+/w==%0A']) {
    assert.deepEqual([...readDataUrl(`data:;base64,${text}`, 4)], [0xfb, 0xff, 0xfe, 0xff], text);
  }
});

test('percent-encoded bytes come out byte for byte', () => {
  const encoded = [...everyByte].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  assert.deepEqual(Buffer.from(readDataUrl(`data:image/png,${encoded}`, 256)), everyByte);
  assert.equal(Buffer.from(readDataUrl('data:,a,b%zz%4', 100)).toString(), 'a,b%zz%4');
});

test('exactly the bytes allowed pass, and one more is too many', () => {
  const bytes = (count: number) => Buffer.alloc(count, 7);
  for (const bytesMax of [1, 2, 3, 4, 100]) {
    const url = (count: number) => `data:;base64,${bytes(count).toString('base64')}`;
    assert.equal(readDataUrl(url(bytesMax), bytesMax).length, bytesMax);
    assert.throws(() => readDataUrl(url(bytesMax + 1), bytesMax), { code: 'IMAGE_TOO_LARGE' });
    assert.equal(readDataUrl(`data:,${'%07'.repeat(bytesMax)}`, bytesMax).length, bytesMax);
    assert.throws(() => readDataUrl(`data:,${'%07'.repeat(bytesMax + 1)}`, bytesMax), {
      code: 'IMAGE_TOO_LARGE',
    });
  }
});

test('what is no data URL is refused, and the message is short', () => {
  for (const url of [
    'data:image/png',
    'data:;base64,abc*',
    'data:;base64,abcde',
    `data:;base64,${'-'.repeat(9000)}`,
  ]) {
    assert.throws(
      () => readDataUrl(url, 1e6),
      (error: Error & { code: string }) => error.code === 'IMAGE_URI_INVALID' && error.message.length < 200,
    );
  }
});

test('a text that is far too long is not even looked at', () => {
  for (const url of [`data:;base64,${'*'.repeat(2000)}`, `data:,${'%'.repeat(2000)}`]) {
    assert.throws(() => readDataUrl(url, 100), { code: 'IMAGE_TOO_LARGE', message: /2000 characters/ });
  }
});
