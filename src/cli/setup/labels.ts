import { parseLabelsFlag, readLabelFile } from '../../producer/labels/labelFile.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { defineLabelSet, type LabelSet } from '../../shared/labels/labelSet.ts';
import { checkThresholds, type Thresholds, thresholdsIn } from '../../shared/labels/thresholds.ts';
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

/** Labels with what decides about their answers. */
export interface GivenLabels {
  labelSet: LabelSet;
  thresholds?: Thresholds;
}

type LabelConfig = Config<(typeof labelOptions)[number]>;

/** Predictions in a row where nobody says how many: 3,000 labels make 180 kB a picture. */
const TOP_K_DEFAULT = 10;

/**
 * The label set the user described: labels of the flag before those of the file; what flags say wins over what the file
 * says.
 *
 * @param topKOfRun of the run that is continued, where there is one: it stands unless a flag says otherwise
 * @throws USAGE for the file and for a single label under softmax, LABEL_SET_INVALID
 */
export async function labelSetOf(config: LabelConfig, topKOfRun?: number | 'all'): Promise<LabelSet> {
  const { labels, labelsFile, template, threshold, scoreFunction, temperature, outputs } = config;
  const fromFile = labelsFile === undefined ? { labels: [] } : await readLabelFile(labelsFile);
  const fromFlag = labels === undefined ? [] : parseLabelsFlag(labels);
  const all = [...fromFlag, ...fromFile.labels];
  const topK = config.topK ?? topKOfRun ?? fromFile.topK ?? TOP_K_DEFAULT;
  const said = Object.entries({ threshold, scoreFunction, temperature, outputs }).filter(
    ([, value]) => value !== undefined,
  );
  const set = defineLabelSet({
    ...fromFile,
    ...Object.fromEntries(said),
    ...(template && { template: undefined, templates: template }),
    // A set that keeps all its labels says nothing of it, so that equal sets have equal ids.
    topK: topK === 'all' || topK >= all.length ? undefined : topK,
    labels: all,
  });
  refuseSingle(set);
  return set;
}

/**
 * The thresholds in the label file, for the run that is opened; without the member where there are none.
 *
 * @throws USAGE for the file, and for thresholds that are not of this label set
 */
export async function thresholdsGiven(
  { labelsFile }: LabelConfig,
  labelSet: LabelSet,
): Promise<{ thresholds?: Thresholds }> {
  const thresholds = labelsFile === undefined ? undefined : thresholdsIn(await readLabelFile(labelsFile));
  if (!thresholds) return {};
  checkThresholds(thresholds, labelSet);
  return { thresholds };
}

/** @throws USAGE where one label would be scored by softmax, the function of most models */
function refuseSingle({ labels, scoreFunction }: LabelSet): void {
  if (labels.length > 1 || scoreFunction !== undefined) return;
  const message =
    `Expected two labels or more, got one: ${JSON.stringify(labels[0]!.label)}. With softmax its score would be 1 for every image. ` +
    'Add labels to compare with, such as "something else", or choose with --score-function: sigmoid for a SigLIP, cosine, or softmax all the same.';
  throw new ClipfleetError('USAGE', message);
}

/** Labels that differ only in case or white space, which a CLIP's tokenizer does not tell apart: `"Fox" and "fox"`. */
export function likeLabels({ labels }: LabelSet): string | undefined {
  const first = new Map<string, string>();
  const pairs: string[] = [];
  for (const { label, prompts } of labels) {
    if (prompts) continue;
    const key = label.normalize('NFC').replace(/\s+/g, ' ').trim().toLowerCase();
    const other = first.get(key);
    if (other === undefined) first.set(key, label);
    else pairs.push(`${JSON.stringify(other)} and ${JSON.stringify(label)}`);
  }
  if (pairs.length === 0) return undefined;
  const more = pairs.length > 5 ? `, and ${pairs.length - 5} more` : '';
  return `Labels that differ only in case or white space share their probability: ${pairs.slice(0, 5).join(', ')}${more}.`;
}
