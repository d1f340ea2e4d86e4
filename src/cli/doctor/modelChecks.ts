import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { askHub } from '../../worker/hub/hub.ts';
import { hubEnvironment } from '../../worker/hub/hubEnvironment.ts';
import { listFolder } from '../../worker/layout/listFolder.ts';
import { findModel, findModelScale, isHubName, type ModelConfig } from '../../worker/model/loadModel.ts';
import type { ModelFiles } from '../../worker/model/model.ts';
import { resolveSettings } from '../../worker/session/settings.ts';
import { type Finding, fault, faultOf, ok, warning } from './finding.ts';

/** Nothing is downloaded for a look. */
const cacheOnly = { env: { ...process.env, HF_HUB_OFFLINE: '1' } };

export interface ModelSeen {
  findings: Finding[];
  /** Undefined where they cannot be read, or are not here yet. */
  files: ModelFiles | undefined;
}

/** What `--model` names: its files, read and hashed, and where its scale comes from. No session is opened. */
export async function lookAtModel(config: ModelConfig & { userAgent: string }): Promise<ModelSeen> {
  const warnings: string[] = [];
  const options = { ...cacheOnly, onWarning: (text: string) => warnings.push(text) };
  const files = await findModel(config, options).catch((error: unknown) => error as Error);
  if (files instanceof Error) {
    const isElsewhere =
      isHubName(config.model) && files instanceof ClipfleetError && files.code === 'HUB_UNAVAILABLE';
    const says = `${config.model} is not in the cache ${hubEnvironment(process.env).cacheDir}`;
    const remedy = 'A worker downloads it when it starts. To have it before: clipfleet verify.';
    return {
      findings: [isElsewhere ? warning('files', says, remedy) : faultOf('files', files)],
      files: undefined,
    };
  }
  const megabytes = ((await bytesIn(files.dir)) / 1e6).toFixed(1);
  const towers = files.built ? 'towers built from the checkpoint' : 'ONNX export';
  return {
    findings: [
      ok('identity', files.identity),
      ok('files', `${files.dir}, ${megabytes} MB, ${towers}`),
      ok(
        'dtype',
        files.built && files.wantsHalf ? `${files.dtype}; fp16 on a GPU that computes in it` : files.dtype,
      ),
      await scaleOf(files, config),
      ...warnings.map((text) => warning('model', text)),
    ],
    files,
  };
}

async function scaleOf(files: ModelFiles, config: ModelConfig & { userAgent: string }): Promise<Finding> {
  try {
    const scale = await findModelScale(files, config, cacheOnly);
    if ('solve' in scale) return ok('scale', `the session solves it from the joint graph ${scale.solve}`);
    const { logitScale, logitBias, source } = scale;
    return ok('scale', `${logitScale.toPrecision(6)}, bias ${logitBias.toPrecision(6)}: ${source}`);
  } catch (error) {
    if (!(error instanceof ClipfleetError) || error.code !== 'HUB_UNAVAILABLE')
      return faultOf('scale', error);
    return warning('scale', 'not in the cache', 'A worker reads it from the Hub when it starts.');
  }
}

async function bytesIn(dir: string): Promise<number> {
  const sizes = (await listFolder(dir)).map(async (path) => (await stat(join(dir, path))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

interface SettingsQuery {
  fingerprint: string;
  device: string;
  cacheDir: string;
  given: Parameters<typeof resolveSettings>[0]['given'];
}

/** Batch size, threads and decoders that a worker would have here, and where each comes from. */
export async function settingsFindings(query: SettingsQuery) {
  const warnings: string[] = [];
  const { settings, from } = await resolveSettings({ ...query, onWarning: (text) => warnings.push(text) });
  const said = Object.entries({
    'images a batch': 'batchSize',
    'threads of the session': 'threads',
    'decoder processes': 'decoders',
  } as const).map(([what, name]) => `${settings[name]} ${what} (${from[name]})`);
  const findings = [ok('settings', said.join(', ')), ...warnings.map((text) => warning('settings', text))];
  return { findings, settings };
}

/** Whether the Hub answers, and how much that matters. */
export async function hubFindings(
  { model, userAgent }: Pick<ModelConfig, 'model'> & { userAgent: string },
  isHere: boolean,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { endpoint, token, offline } = hubEnvironment(process.env);
  if (offline) return [ok('Hub', 'HF_HUB_OFFLINE is set: it is not asked')];
  try {
    const access = { endpoint, offline, userAgent, signal, ...(token !== undefined && { token }) };
    await askHub(access);
    return [ok('Hub', `${endpoint} answers${token === undefined ? '' : ', and takes the token'}`)];
  } catch (error) {
    if (!(error instanceof ClipfleetError)) throw error;
    const says = `${error.code}: ${error.message}`;
    // The ways out that the message goes on with are for those who need the Hub.
    const [reason] = says.split(/\. /);
    if (!isHubName(model)) return [ok('Hub', `not needed, --model is a folder; ${reason}`)];
    return [isHere ? warning('Hub', says) : fault('Hub', says)];
  }
}
