import { parseLabelsFlag, readLabelFile } from '../../producer/labels/labelFile.ts';
import { defineLabelSet, type LabelSet } from '../../shared/labels/labelSet.ts';
import type { Config } from '../../shared/options/config.ts';

export const labelOptions = [
  'labels',
  'labelsFile',
  'template',
  'topK',
  'threshold',
  'scoreFunction',
  'temperature',
  'outputs',
] as const;

/**
 * The label set the user described: labels of the flag before those of the file; what flags say wins over what the file
 * says.
 *
 * @throws USAGE for the file, LABEL_SET_INVALID
 */
export async function labelSetOf(config: Config<(typeof labelOptions)[number]>): Promise<LabelSet> {
  const { labels, labelsFile, template, topK, threshold, scoreFunction, temperature, outputs } = config;
  const fromFile = labelsFile === undefined ? { labels: [] } : await readLabelFile(labelsFile);
  const fromFlag = labels === undefined ? [] : parseLabelsFlag(labels);
  const said = Object.entries({ topK, threshold, scoreFunction, temperature, outputs }).filter(
    ([, value]) => value !== undefined,
  );
  return defineLabelSet({
    ...fromFile,
    ...Object.fromEntries(said),
    ...(template && { template: undefined, templates: template }),
    labels: [...fromFlag, ...fromFile.labels],
  });
}
