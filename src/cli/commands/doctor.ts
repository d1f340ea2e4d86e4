import { modelOptions } from '../../worker/model/loadModel.ts';
import { checksOf } from '../doctor/checks.ts';
import { formatFindings, formatSum } from '../doctor/doctorText.ts';
import { type Finding, findingsOf } from '../doctor/finding.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { contextOptions } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { shownFormat } from '../setup/shownFormat.ts';
import { columnsOf } from '../terminal/screen.ts';

const optionNames = [
  ...modelOptions,
  'batchSize',
  'decoders',
  'decodeMemoryMax',
  'userAgent',
  'format',
  ...contextOptions,
] as const;

export const doctorCommand = createCommand({
  examples: [
    'clipfleet doctor',
    'clipfleet doctor --model models/demo --device cuda',
    'clipfleet doctor --format jsonl | jq \'select(.level != "ok")\'',
  ],
  options: optionNames,
  async run(_, config) {
    const format = shownFormat(config);
    const all: Finding[] = [];
    for (const check of checksOf(config)) {
      const findings = await findingsOf(check);
      all.push(...findings);
      const { group } = check;
      const shown =
        format === 'jsonl'
          ? findings.map((finding) => `${JSON.stringify({ group, ...finding })}\n`).join('')
          : formatFindings(group, findings, columnsOf(process.stdout));
      process.stdout.write(shown);
    }
    if (format === 'table') process.stdout.write(`${formatSum(all)}\n`);
    return all.some(({ level }) => level === 'fault') ? exitCodes.couldNotRun : exitCodes.classified;
  },
});
