import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVectorWriter } from '../../../src/shared/embeddings/vectorWriter.ts';
import type { ClassifiedRow } from '../../../src/shared/rows/row.ts';
import { requireVectors } from '../../../src/worker/relabel/keptVectors.ts';
import { temporaryFolder } from '../../support/support.ts';

const fingerprint = 'f';
const place = { chunk: 0, index: 7 };

test('an image that was labeled again needs the vector of its last row', async (t) => {
  const folder = await temporaryFolder(t);
  const row: ClassifiedRow = {
    ...{ id: 'a', uri: 'a', generation: 1, place, at: 0 },
    ...{ status: 'classified', predictions: [], fingerprint },
  };
  const store = { getRows: async () => ({ rows: [row], cursor: undefined, unreadable: [] }) };
  const require = () => requireVectors({ run: 'r', birth: 'b', folder, fingerprint }, store);
  const writer = createVectorWriter(folder, { v: 1, run: 'r', birth: 'b', fingerprint, dimensions: 1 });
  t.after(() => writer.close());
  const vector = { id: 'a', uri: 'a', place, half: new Uint8Array(2) };
  await writer.keep([{ ...vector, generation: 0 }]);
  await assert.rejects(require(), { code: 'VECTORS_UNUSABLE', message: /Expected 1 .* 1 are missing/ });
  await writer.keep([{ ...vector, generation: 1 }]);
  const places = await require();
  assert.equal(places.size, 1);
  assert.equal(places.take(place, 0), false);
  assert.equal(places.take(place, 1), true);
  assert.equal(places.take(place, 1), false);
});
