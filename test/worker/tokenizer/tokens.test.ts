import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { loadTokenizer } from '../../../src/worker/tokenizer/tokenizer.ts';
import { repository } from '../../support/fleet.ts';
import { goldenNames, readGolden } from '../../support/goldens.ts';

for (const name of goldenNames) {
  test(`${name}: tokens are the reference's, of texts that do not fit too`, async () => {
    const { modelDir, labelSets } = await readGolden(name);
    const dir = join(repository, modelDir);
    const { towers } = await readModelFiles({ dir, dtype: 'fp32' });
    const { tokenize } = await loadTokenizer(towers.tokenizer, towers.textLimits);

    const cut: string[] = [];
    for (const { name: set, labels, templates, tokens, truncated } of labelSets) {
      for (const [i, template] of templates.entries()) {
        const prompts = labels.map((label) => template.replace('{}', () => label));
        const batch = tokenize(prompts);
        prompts.forEach((prompt, row) => {
          const from = row * batch.length;
          const ids = batch.ids.subarray(from, from + batch.length);
          const unpadded = [...ids].filter((_, column) => batch.mask[from + column] === 1n).map(Number);
          assert.deepEqual(unpadded, tokens[i]![row], `${set}: '${prompt.slice(0, 60)}'`);
        });
        assert.deepEqual(batch.truncated, truncated, `${set}: which are cut`);
        cut.push(...batch.truncated.map((row) => labels[row]!));
      }
    }
    assert.equal(cut.length, 1, 'the goldens hold one text that does not fit');
  });
}
