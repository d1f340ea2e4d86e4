import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openVectorIndex } from '../../../src/shared/embeddings/vectorIndex.ts';
import { createVectorWriter } from '../../../src/shared/embeddings/vectorWriter.ts';
import { temporaryFolder } from '../../support/support.ts';

test('each row finds its vector, in whatever file and generation it is', async (t) => {
  const folder = await temporaryFolder(t);
  const head = { v: 1, run: 'r', birth: 'b', fingerprint: 'f', dimensions: 2 } as const;
  const half = (number: number) => Uint8Array.of(number, 0, number, 1);
  const keep = async (vectors: { chunk: number; index: number; generation: number; number: number }[]) => {
    const writer = createVectorWriter(folder, head);
    await writer.keep(
      vectors.map(({ chunk, index, generation, number }) => ({
        id: `${chunk} ${index}`,
        uri: 'u',
        generation,
        place: { chunk, index },
        half: half(number),
      })),
    );
    await writer.close();
  };
  const places = Array.from({ length: 200 }, (_, index) => ({
    chunk: 70_000,
    index,
    generation: 0,
    number: index,
  }));
  await keep(places);
  await keep([{ chunk: 3, index: 5, generation: 1, number: 250 }]);
  await keep([{ chunk: 3, index: 5, generation: 0, number: 251 }]);
  const vectors = await openVectorIndex({ folder, birth: 'b' });
  t.after(() => vectors.close());
  assert.equal(vectors.dimensions, 2);
  for (const { chunk, index, generation, number } of places)
    assert.deepEqual(await vectors.read({ place: { chunk, index }, generation }), half(number));
  const place = { chunk: 3, index: 5 };
  assert.deepEqual(await vectors.read({ place, generation: 1 }), half(250));
  assert.equal(await vectors.read({ place, generation: 0 }), undefined);
  assert.equal(await vectors.read({ place: { chunk: 70_000, index: 200 }, generation: 0 }), undefined);
  assert.equal(await vectors.read({ place: { chunk: 4, index: 0 }, generation: 0 }), undefined);
});
