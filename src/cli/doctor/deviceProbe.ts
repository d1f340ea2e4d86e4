// A process of its own for the look at one device: its driver may hang, print what it likes, or take the process down.
import { whyMissing } from '../../worker/session/devices.ts';

const [device] = process.argv.slice(2);
const why = await whyMissing(device!, process.platform);
process.stdout.write(JSON.stringify({ why: why ?? null }));
