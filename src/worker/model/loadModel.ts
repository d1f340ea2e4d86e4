import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { DEFAULT_DTYPE, formatIdentity } from '../../shared/fleet/modelIdentity.ts';
import { type Config, defaultOf } from '../../shared/options/config.ts';
import { packaged } from '../../shared/packageRoot.ts';
import { downloadJointGraph, downloadModel, type HubOptions, hubCommit } from '../hub/hub.ts';
import { hubEnvironment } from '../hub/hubEnvironment.ts';
import type { Scoring } from '../score/rank.ts';
import { rememberFitting } from '../session/fittingBatch.ts';
import { type Session, startSession } from '../session/session.ts';
import { findScale, type GivenScale, type SourcedScale } from './findScale.ts';
import { readHubScale } from './hubScale.ts';
import { type Decoding, type ModelFiles, readModelFiles } from './model.ts';
import type { SessionPlan } from './sessionPlan.ts';
import { builtGraphs } from './towerGraphs.ts';

/** A model with its session running, and all that must go with it. */
export interface LoadedModel
  extends Pick<ModelFiles, 'identity' | 'fingerprint' | 'preprocessing' | 'decoding'> {
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

/** Who asks the Hub. */
export interface HubClient {
  /** `clipfleet/VERSION` when absent. */
  userAgent?: string | undefined;
}

/** What names a model, and no more. */
export type ModelChoice = Pick<ModelConfig, 'model' | 'revision'> &
  Partial<Pick<ModelConfig, 'dtype'>> &
  Decoding &
  HubClient;

export interface FindModelOptions {
  env?: NodeJS.ProcessEnv;
  onDownload?: HubOptions['onDownload'];
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
  const { model: name, dtype = DEFAULT_DTYPE } = choice;
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
    dtype = DEFAULT_DTYPE,
    userAgent = defaultOf('userAgent'),
  }: Pick<ModelChoice, 'revision' | 'dtype' | 'userAgent'>,
  { env = process.env, onDownload, onProgress }: FindModelOptions,
): HubOptions {
  const listeners = { ...(onDownload && { onDownload }), ...(onProgress && { onProgress }) };
  return { ...hubEnvironment(env), revision, dtype, userAgent, ...listeners };
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
 * @param given the scale that the user said, which wins over the model's own, and who asks the Hub for it
 * @throws what reading the files throws, MODEL_SCALE_UNKNOWN
 */
export async function startModel(
  files: ModelFiles,
  { device, settings, cacheDir, answerMaxMs, fingerprint, dtype }: SessionPlan,
  given: GivenScale & HubClient,
  options: FindModelOptions = {},
): Promise<LoadedModel> {
  const { identity, preprocessing, decoding, scoreFunction } = files;
  const scale = await findModelScale(files, { ...given, cacheDir }, options);
  const remember = (images: number) =>
    void rememberFitting({ fingerprint, device: device.name, cacheDir }, images).catch((error: Error) =>
      options.onWarning?.(
        `That batches of ${images} images fit into memory could not be remembered: ${error.message}`,
      ),
    );
  const towers = { ...files.towers, graphs: await graphsIn(files, dtype) };
  const session = await startSession(
    {
      ...towers,
      preprocessing,
      device,
      threads: settings.threads,
      batchSize: settings.batchSize,
      solveScaleFrom: 'solve' in scale ? scale.solve : undefined,
    },
    { answerMaxMs, onFitting: remember },
  );
  const scoring = { ...('solve' in scale ? solved(session) : scale), scoreFunction };
  return { identity, fingerprint, preprocessing, decoding, session, scoring };
}

/**
 * The model's scale and where it was found, or the path of the joint graph that its session is to solve it from.
 *
 * @throws MODEL_SCALE_UNKNOWN, what the Hub's answer throws
 */
export function findModelScale(
  files: ModelFiles,
  { userAgent, cacheDir, ...given }: GivenScale & HubClient & { cacheDir: string },
  options: FindModelOptions = {},
) {
  const { hub } = files;
  const access = hub && hubOptions({ revision: hub.commit, dtype: files.dtype, userAgent }, options);
  return findScale({
    dir: files.dir,
    weights: weightsOf(files),
    name: hub?.name,
    exportedFrom: files.exportedFrom,
    scoreFunction: files.scoreFunction,
    given,
    readHub: access && ((repository, use) => readHubScale(repository, hub, access, cacheDir, use)),
    joint: files.joint,
    downloadJoint: access && (() => downloadJointGraph(hub.name, access)),
  });
}

/** A model's graphs in a precision: towers that are built can be computed in another than they were read for. */
async function graphsIn({ dir, built, checkpoint, towers }: ModelFiles, dtype: SessionPlan['dtype']) {
  return built && dtype === 'fp16' ? (await builtGraphs(dir, checkpoint!, dtype)).graphs : towers.graphs;
}

function weightsOf({ dir, checkpoint }: ModelFiles): string[] {
  const sides = checkpoint ? [checkpoint.vision, checkpoint.text] : [];
  return [...new Set(sides.flatMap(({ weights }) => weights))].map((file) => join(dir, file));
}

function solved({ solvedScale }: Session): SourcedScale {
  if (!solvedScale)
    throw new ClipfleetError('INTERNAL', 'Expected a scale solved from the joint graph. This is a bug.');
  return { ...solvedScale, source: 'solved from the joint graph' };
}

/** Where the demo's model is. */
export const bundledModel = join('models', 'demo');
