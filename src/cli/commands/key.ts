import { appendFile } from 'node:fs/promises';
import { createApiKey, type KeyScope } from '../../gateway/keys/apiKeys.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { say } from '../terminal/screen.ts';

/** Only its owner may read the file: whose keys there are is nobody else's business. */
const KEY_FILE_MODE = 0o600;

export const keyCommand = createCommand({
  examples: [
    'clipfleet key shop --api-keys keys.txt',
    'clipfleet key dashboard --scopes read --api-keys keys.txt',
  ],
  options: ['apiKeys', 'scopes'] as const,
  async run([name], { apiKeys, scopes }) {
    const { key, line } = createApiKey(name!, [...new Set(scopes.split(','))] as KeyScope[]);
    if (apiKeys === undefined) {
      say(`Add this line to the file that --api-keys names:\n${line}\nThe key, which is not shown again:`);
    } else {
      await appendFile(apiKeys, `${line}\n`, { mode: KEY_FILE_MODE }).catch((cause: Error) => {
        throw new ClipfleetError('USAGE', `Expected to write to ${apiKeys}, got: ${cause.message}.`);
      });
      say(`Added to ${apiKeys}; gateways read it when they start. The key, which is not shown again:`);
    }
    process.stdout.write(`${key}\n`);
    return exitCodes.classified;
  },
});
