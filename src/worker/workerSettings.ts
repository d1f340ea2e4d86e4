import type { Config } from '../shared/options/config.ts';
import { type GatewaySettings, type PipelineSettings, pipelineOptions } from './pipeline/pipelineSettings.ts';

const laneOptions = ['lockMs', 'newerGraceMs'] as const;

/** The settings a worker reads. */
export const workerOptions = [...pipelineOptions, ...laneOptions] as const;

/** The settings of a worker, with those that depend on the machine resolved. */
export type WorkerSettings = PipelineSettings & GatewaySettings & Config<(typeof laneOptions)[number]>;
