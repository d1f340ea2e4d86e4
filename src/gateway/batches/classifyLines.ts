import { defineLabelSet, type LabelSet, labelSetId } from '../../shared/labels/labelSet.ts';
import { nameLabels } from '../../shared/rows/prediction.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { classifyBody, imageOfBody, labelsOfParameters } from '../schemas/classifyBody.ts';
import { imageIn, inlineUri } from '../uploads/imageIn.ts';
import { type BatchEndpoint, bodyOf, classifiedRow, groupedBy } from './batchEndpoint.ts';

interface ClassifyAsked {
  model: string | undefined;
  uri: string;
  labelSet: LabelSet;
}

/** Lines for `/v1/classify`: a run for each label set and model, in which an image is called as its line is numbered. */
export function classifyLines(store: Pick<ResultsStore, 'getRow'>): BatchEndpoint<ClassifyAsked> {
  return {
    weigh: () => 1,

    read(given) {
      const body = bodyOf(classifyBody, given);
      const { image, model } = imageOfBody(body);
      return {
        model,
        uri: inlineUri(imageIn(image)),
        labelSet: defineLabelSet(labelsOfParameters(body.parameters)),
      };
    },

    plan(lines) {
      const groups = groupedBy(lines, ({ model, asked }) => `${model} ${labelSetId(asked.labelSet)}`);
      return [...groups].map(([key, group]) => {
        const { model, asked } = group[0]!;
        const { labelSet } = asked;
        return {
          ...{ key, model, labelSet, isMixed: false },
          lines: group.map(({ number }) => number),
          images: group.map(({ number, asked: { uri } }) => ({ id: String(number), uri })),
          async answer(run, line) {
            const row = await classifiedRow(store, run, String(line));
            return row && nameLabels(row.predictions, labelSet.labels);
          },
        };
      });
    },
  };
}
