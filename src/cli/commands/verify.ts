import { modelOptions } from '../../worker/model/loadModel.ts';
import { VERIFY_BATCH } from '../../worker/tune/patternImages.ts';
import { verifyModel } from '../../worker/tune/verify.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { shownFormat } from '../setup/shownFormat.ts';
import { alignColumns, printable } from '../terminal/printable.ts';
import { findModelShown, planSessionShown, startModelShown } from '../terminal/progress/modelShown.ts';

export const verifyCommand = createCommand({
  examples: [
    'clipfleet verify --model models/demo',
    'clipfleet verify --model Xenova/clip-vit-base-patch32 --dtype q8',
  ],
  options: [...modelOptions, 'userAgent', 'format'] as const,
  async run(_, config) {
    const format = shownFormat(config);
    const files = await findModelShown(config);
    const plan = await planSessionShown(files, { ...config, batchSize: VERIFY_BATCH });
    const model = await startModelShown(files, plan, config);
    try {
      const checks = await verifyModel(files, model, plan);
      const lines = checks.map(({ name, ok, detail }) => [ok ? 'ok' : 'FAILED', name, printable(detail)]);
      process.stdout.write(
        format === 'jsonl'
          ? checks.map((check) => `${JSON.stringify(check)}\n`).join('')
          : `${model.identity}\n${alignColumns(lines)}\n`,
      );
      return checks.every(({ ok }) => ok) ? exitCodes.classified : exitCodes.failed;
    } finally {
      await model.session.close();
    }
  },
});
