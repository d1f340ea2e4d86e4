import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { formatIdentity } from '../../shared/fleet/modelIdentity.ts';
import { type Config, defaultOf } from '../../shared/options/config.ts';
import { packaged } from '../../shared/packageRoot.ts';
import { userCacheFolder } from '../../shared/userFolders.ts';
import { downloadJointGraph, downloadModel, type HubOptions, hubCommit } from '../hub/hub.ts';
import { hubEnvironment } from '../hub/hubEnvironment.ts';
import type { Scoring } from '../score/rank.ts';
import { type Device, openDevice } from '../session/devices.ts';
import { type Session, startSession } from '../session/session.ts';
import { type ResolvedSettings, resolveSettings } from '../session/settings.ts';
import type { Settings } from '../session/tuned.ts';
import { findScale, type SourcedScale } from './findScale.ts';
import { readHubScale } from './hubScale.ts';
import { type Decoding, type ModelFiles, readModelFiles } from './model.ts';

/** A model with its session running, and all that must go with it. */
export interface LoadedModel
  extends Pick<ModelFiles, 'identity' | 'fingerprint' | 'preprocessing' | 'decoding'>,
    ResolvedSettings {
  /** Where the session runs. */
  device: Device;
  scoring: Scoring & { source: string };
  session: Session;
}

export const modelOptions = [
  'model',
  'revision',
  'dtype',
  'cropRounding',
  'exif',
  'device',
  'threads',
  'cacheDir',
  'logitScale',
  'logitBias',
] as const;

export type ModelConfig = Config<(typeof modelOptions)[number]>;

/** What is set of a model; what nobody set may be there as undefined. */
type Unset<T> = { [K in keyof T]?: T[K] | undefined };

/** How a model's session is run. */
export interface SessionConfig extends Unset<ModelConfig & Settings>, HubClient {
  /** As it is named with `--device`: `auto`, `cpu`, `cuda:1`. */
  device: string;
  /** Cores this process has for itself; those of the machine when absent. */
  cores?: number;
}

/** Who asks the Hub. */
interface HubClient {
  /** `clipfleet/VERSION` when absent. */
  userAgent?: string | undefined;
}

/** What names a model, and no more. */
export type ModelChoice = Pick<ModelConfig, 'model' | 'revision' | 'dtype'> & Decoding & HubClient;

export interface FindModelOptions {
  env?: NodeJS.ProcessEnv;
  onProgress?: HubOptions['onProgress'];
  /** Told what the user should know though the model was found. */
  onWarning?: (warning: string) => void;
}

/** The files of what `--model` names: a directory, or a model of the Hub, which is downloaded into the cache. */
export async function findModel(choice: ModelChoice, options: FindModelOptions = {}): Promise<ModelFiles> {
  const { model, revision, dtype, cropRounding, exif } = choice;
  const decoding = { ...(cropRounding && { cropRounding }), ...(exif && { exif }) };
  if (!isHubName(model)) return readModelFiles({ dir: localDirectory(model), dtype, decoding });
  const hub = hubOptions(choice, options);
  const { dir, commit, stale } = await downloadModel(model, hub).catch(orNoFolder(model));
  if (stale)
    options.onWarning?.(
      `The Hub does not answer: ${model} is taken from the cache, at ${commit}, which '${revision}' may have left.`,
    );
  return readModelFiles({ dir, dtype, decoding, name: model, revision: commit });
}

/** The identity of what `--model` names, without its graphs where the name tells enough. */
export async function findIdentity(choice: ModelChoice, options: FindModelOptions = {}): Promise<string> {
  const { model: name, dtype } = choice;
  if (!isHubName(name)) return (await findModel(choice, options)).identity;
  const revision = await hubCommit(name, hubOptions(choice, options)).catch(orNoFolder(name));
  return formatIdentity({ name, revision, dtype });
}

/** What looks like a name on the Hub may have been meant as a folder. */
function orNoFolder(model: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ClipfleetError) || error.code !== 'MODEL_NOT_FOUND') throw error;
    const message = `${error.message} Nor is there a folder ${resolve(model)}.`;
    throw new ClipfleetError('MODEL_NOT_FOUND', message, { cause: error });
  };
}

function hubOptions(
  {
    revision,
    dtype,
    userAgent = defaultOf('userAgent'),
  }: Pick<ModelChoice, 'revision' | 'dtype' | 'userAgent'>,
  { env = process.env, onProgress }: FindModelOptions,
): HubOptions {
  return { ...hubEnvironment(env), revision, dtype, userAgent, ...(onProgress && { onProgress }) };
}

/** Whether `--model` is a name on the Hub: `owner/repo`, and no directory of that path. */
export function isHubName(model: string): boolean {
  return /^[\w.-]+\/[\w.-]+$/.test(model) && !model.startsWith('.') && !existsSync(localDirectory(model));
}

/** A directory as given, or one that ships with Clipfleet, so that `models/demo` works from any folder. */
function localDirectory(model: string): string {
  const bundled = packaged(model);
  return !existsSync(model) && model.startsWith('models/') && existsSync(bundled) ? bundled : resolve(model);
}

/**
 * Opens the model's sessions in their thread.
 *
 * @throws what reading the files throws, DEVICE_UNAVAILABLE, MODEL_SCALE_UNKNOWN
 */
export async function startModel(
  files: ModelFiles,
  config: SessionConfig,
  { env = process.env, onProgress, onWarning }: FindModelOptions = {},
): Promise<LoadedModel> {
  const { identity, fingerprint, preprocessing, decoding, scoreFunction, hub } = files;
  const { cacheDir = userCacheFolder(env), cores } = config;
  const access =
    hub &&
    hubOptions(
      { revision: hub.commit, dtype: files.dtype, userAgent: config.userAgent },
      { env, ...(onProgress && { onProgress }) },
    );
  const scale = await findScale({
    dir: files.dir,
    name: hub?.name,
    exportedFrom: files.exportedFrom,
    scoreFunction,
    given: { logitScale: config.logitScale, logitBias: config.logitBias },
    readHub: access && ((repository, use) => readHubScale(repository, hub, access, cacheDir, use)),
    joint: files.joint,
    downloadJoint: access && (() => downloadJointGraph(hub.name, access)),
  });
  const device = await openDevice(config.device);
  const about = { given: config, fingerprint, device: device.name, cacheDir, ...(cores && { cores }) };
  const resolved = await resolveSettings(onWarning ? { ...about, onWarning } : about);
  const { settings } = resolved;
  const session = await startSession({
    modelDir: files.dir,
    graphs: files.graphs,
    hashes: files.hashes,
    preprocessing,
    textLimits: files.textLimits,
    device,
    threads: settings.threads,
    batchSize: settings.batchSize,
    cacheDir,
    solveScaleFrom: 'solve' in scale ? scale.solve : undefined,
  });
  if (session.warning) onWarning?.(session.warning);
  const scoring = { ...('solve' in scale ? solved(session) : scale), scoreFunction };
  return { identity, fingerprint, preprocessing, decoding, device, ...resolved, session, scoring };
}

function solved({ solvedScale }: Session): SourcedScale {
  if (!solvedScale)
    throw new ClipfleetError('INTERNAL', 'Expected a scale solved from the joint graph. This is a bug.');
  return { ...solvedScale, source: 'solved from the joint graph' };
}

/** Where the demo's model is. */
export const bundledModel = join('models', 'demo');
