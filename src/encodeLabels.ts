import type { OpenedModel } from './openModel.ts';
import { type LabelSet, promptsOf } from './shared/labels/labelSet.ts';
import { buildLabelMatrix, type LabelMatrix } from './worker/labels/labelMatrix.ts';

/** The label matrix of a label set under a model. */
export async function encodeLabels(model: OpenedModel, labelSet: LabelSet): Promise<LabelMatrix> {
  const prompts = promptsOf(labelSet);
  const { embeddings, truncated } = await model.session.embedTexts(prompts.flat());
  if (truncated.length > 0) {
    const cut = truncated.slice(0, 3).map((place) => `'${prompts.flat()[place]!.slice(0, 80)}'`);
    process.emitWarning(`Too long for the text tower, and cut: ${cut.join(', ')}`, {
      code: 'LABEL_TRUNCATED',
    });
  }
  const counts = prompts.map((ofLabel) => ofLabel.length);
  return buildLabelMatrix(embeddings, counts, embeddings.length / prompts.flat().length);
}
