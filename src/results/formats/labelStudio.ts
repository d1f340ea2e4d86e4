import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import type { OpenPart } from '../outputs/wholeOutput.ts';
import { answersOf, cellText, type ExportedRun, type ExportRow, uncertaintyOf } from '../rows/exportedRun.ts';
import { createOmissions, FAILED, localImage, NOT_LOCAL } from '../rows/localImage.ts';
import { shortFloat32 } from '../rows/shortestFloat32.ts';

/** An import of Label Studio takes 250 MiB and, as its documentation has it, is answered within 30 s: this many tasks are some MiB. */
const TASKS_MAX = 10_000;

/**
 * Tasks with predictions for Label Studio, in files that one import takes each, and beside them the labeling config with every
 * label as a choice, without which the import is refused. A task's data has the image's id and how unsure the model is, which
 * the open-source edition can sort by, unlike a prediction's score.
 *
 * A local file becomes a path of Label Studio's local storage with the document root `/`.
 */
export const openLabelStudio: OpenPart = (folder, run) => {
  const omissions = createOmissions();
  let tasks: string[] = [];
  let parts = 0;

  async function writePart(): Promise<void> {
    const name = `tasks-${String(parts++).padStart(5, '0')}.json`;
    await writeFile(join(folder, name), `[\n${tasks.join(',\n')}\n]\n`);
    tasks = [];
  }

  return {
    async write(row) {
      const image = imageOf(row, run);
      if (row.status === 'failed') omissions.add(FAILED);
      else if (image === undefined) omissions.add(NOT_LOCAL);
      else tasks.push(JSON.stringify(taskOf(row, image, run)));
      if (tasks.length === TASKS_MAX) await writePart();
    },
    async end() {
      if (tasks.length > 0 || parts === 0) await writePart();
      await writeFile(join(folder, 'config.xml'), configOf(run));
      return omissions.sentences();
    },
    async close() {},
  };
};

function imageOf({ uri }: ExportRow, run: ExportedRun): string | undefined {
  const scheme = schemeOf(uri) ?? 'file';
  if (['http', 'https', 's3', 'gs', 'data'].includes(scheme)) return uri;
  const path = localImage(uri, run);
  return path && `/data/local-files/?d=${path.split('/').slice(1).map(encodeURIComponent).join('/')}`;
}

function taskOf(row: ExportRow, image: string, run: ExportedRun) {
  const uncertainty = uncertaintyOf(row);
  const source = run.sourceColumns.map((name) => [name, cellText(row.source?.[name])]);
  const own = {
    image,
    id: row.id,
    ...(row.decision && { decision: row.decision }),
    ...(uncertainty !== undefined && { uncertainty: shortFloat32(uncertainty) }),
  };
  const data = { ...Object.fromEntries(source), ...own };
  const answers = answersOf(row, run);
  if (answers.length === 0) return { data };
  const choice = {
    id: 'clipfleet',
    from_name: 'choice',
    to_name: 'image',
    type: 'choices',
    value: { choices: answers.map(({ label }) => label) },
  };
  const score = shortFloat32(answers[0]!.score);
  return { data, predictions: [{ model_version: run.model, score, result: [choice] }] };
}

function configOf({ labels, severalLabels }: ExportedRun): string {
  const choice = severalLabels ? 'multiple' : 'single';
  const choices = labels.map((label) => `    <Choice value="${escaped(label)}"/>`);
  return [
    '<View>',
    '  <Image name="image" value="$image"/>',
    `  <Choices name="choice" toName="image" choice="${choice}">`,
    ...choices,
    '  </Choices>',
    '</View>',
    '',
  ].join('\n');
}

/** Text for an attribute of XML, line breaks and tabs included, which a parser would else make spaces of. */
function escaped(text: string): string {
  return text.replace(/[&<>"'\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}
