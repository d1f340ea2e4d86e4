// The table of walls: test/project/walls.test.ts holds the code to it.

/** A folder below src (`src` is that itself), and after the colon the folders it may import from. A line that is indented goes on with the one before. */
const table = `
src: client producer producer/answers producer/runs producer/sources shared shared/fleet shared/labels shared/options
    shared/redis shared/refs shared/rows shared/runs shared/store worker/decode worker/decoders worker/fetch worker/hub
    worker/labels worker/model worker/onnx worker/pipeline worker/resize worker/score worker/session
cli: cli/commands cli/files cli/setup cli/terminal shared
cli/commands: src cli/doctor cli/setup cli/terminal cli/terminal/progress cli/workers gateway gateway/access
    gateway/keys gateway/uploads gateway/webhooks producer producer/images producer/runs producer/sources
    results/exports results/outputs results/rows shared shared/fleet shared/labels shared/log shared/options
    shared/redis shared/refs shared/rows shared/runs worker worker/labels worker/model worker/relabel worker/score
    worker/session worker/tune
cli/doctor: cli/setup cli/terminal producer shared shared/fleet shared/log shared/options shared/redis shared/store
    worker/decode worker/decoders worker/formats worker/hub worker/layout worker/model worker/onnx worker/session
cli/files: src cli/setup cli/terminal cli/terminal/progress results/actions results/report results/rows results/sort
    results/tag shared shared/files shared/labels shared/options shared/refs shared/rows
cli/setup: producer producer/labels producer/runs results/decisions results/exports results/rows shared
    shared/embeddings shared/fleet shared/labels shared/log shared/options shared/redis shared/refs shared/rows
    shared/runs shared/store
cli/terminal: cli/setup producer/images producer/runs results/decisions results/exports results/outputs results/rows
    shared shared/fleet shared/labels shared/redis shared/refs shared/rows
cli/terminal/progress: cli/terminal producer/runs worker/model
cli/workers: src cli/setup cli/terminal cli/terminal/progress producer producer/images producer/runs producer/sources
    results/exports shared shared/embeddings shared/fleet shared/labels shared/log shared/options shared/redis
    shared/refs shared/runs worker worker/model worker/relabel worker/telemetry
client: producer producer/runs shared shared/fleet shared/labels shared/options shared/redis shared/refs shared/rows
gateway: gateway/access gateway/batches gateway/files gateway/http gateway/routes gateway/telemetry gateway/uploads
    gateway/webhooks
gateway/access: gateway/http gateway/keys shared
gateway/batches: gateway/files gateway/http gateway/schemas gateway/uploads producer producer/bytes shared
    shared/embeddings shared/files shared/fleet shared/labels shared/log shared/redis shared/refs shared/rows
    shared/runs
gateway/files: shared shared/files
gateway/http: gateway/keys gateway/uploads gateway/webhooks producer producer/runs shared shared/log
gateway/keys: shared
gateway/routes: gateway/access gateway/batches gateway/files gateway/http gateway/schemas gateway/uploads
    gateway/webhooks producer producer/bytes producer/runs results/decisions results/formats results/outputs
    results/rows shared shared/fleet shared/labels shared/redis shared/refs shared/rows shared/telemetry
gateway/schemas: results/decisions shared/labels shared/refs shared/runs
gateway/telemetry: gateway/http shared shared/fleet shared/redis shared/telemetry
gateway/uploads: shared shared/refs
gateway/webhooks: producer shared shared/log shared/redis
producer: producer/answers producer/fleet producer/runs shared shared/fleet shared/labels shared/options shared/redis
    shared/rows shared/runs
producer/answers: producer/runs shared shared/embeddings shared/fleet shared/labels shared/options shared/redis
    shared/refs shared/rows shared/runs
producer/bytes: shared shared/refs
producer/fleet: shared shared/fleet shared/redis shared/runs
producer/images: producer/bytes shared shared/refs
producer/labels: shared shared/labels
producer/lists: producer/bytes shared shared/options
producer/runs: shared shared/fleet shared/labels shared/options shared/redis shared/refs shared/rows shared/runs
producer/sources: producer/bytes producer/images producer/lists shared shared/options shared/refs
results/actions: shared shared/refs shared/rows
results/decisions: shared/labels shared/rows
results/exports: results/formats results/outputs results/rows shared shared/embeddings shared/refs shared/rows
results/formats: results/outputs results/rows shared shared/embeddings shared/refs shared/rows
results/outputs: results/rows shared shared/files
results/report: results/rows shared shared/labels shared/rows
results/rows: results/decisions shared/refs shared/rows
results/sort: results/actions results/rows shared shared/refs shared/rows
results/tag: results/actions results/rows shared shared/files shared/refs shared/rows
shared:
shared/embeddings: shared shared/redis shared/refs shared/rows
shared/files: shared
shared/fleet: shared shared/redis shared/refs shared/runs
shared/labels: shared shared/redis
shared/log: shared
shared/options: shared shared/files shared/runs
shared/redis: shared shared/files
shared/refs: shared
shared/rows: shared shared/redis
shared/rows/postgres: shared shared/rows
shared/runs: shared shared/labels shared/redis shared/refs shared/rows
shared/store: shared shared/labels shared/redis shared/rows shared/rows/postgres
shared/telemetry:
worker: shared shared/fleet shared/labels shared/log shared/options shared/redis shared/rows shared/runs
    shared/telemetry worker/jobs worker/labels worker/losses worker/model worker/pipeline worker/verdicts
worker/checkpoint: shared worker/onnx
worker/decode: shared shared/options worker/formats worker/resize
worker/decoders: shared shared/options shared/refs worker/decode worker/onnx worker/resize worker/vectorCache
worker/fetch: shared shared/refs worker/hosts worker/names
worker/formats: shared worker/resize
worker/hosts: shared shared/log shared/options shared/redis shared/telemetry worker/names
worker/hub: shared shared/files worker/layout worker/onnx
worker/jobs: shared shared/embeddings shared/fleet shared/log shared/options shared/redis shared/refs shared/rows
    shared/runs worker/hosts worker/labels worker/losses worker/verdicts
worker/labels: shared shared/labels shared/redis shared/telemetry worker/onnx
worker/layout: shared worker/checkpoint worker/onnx
worker/losses: shared/fleet shared/log shared/runs
worker/model: shared shared/embeddings shared/files shared/fleet shared/options worker/checkpoint worker/decode
    worker/hub worker/layout worker/onnx worker/resize worker/score worker/session worker/tokenizer
worker/names: shared shared/log
worker/onnx: shared shared/embeddings
worker/pipeline: shared shared/fleet shared/log shared/options shared/redis shared/refs shared/rows shared/telemetry
    worker/decoders worker/fetch worker/hosts worker/model worker/names worker/resize worker/score worker/session
    worker/vectorCache
worker/relabel: shared shared/embeddings shared/rows shared/runs worker/score
worker/resize: shared
worker/score: shared shared/labels shared/rows worker/labels worker/onnx
worker/session: shared shared/embeddings shared/files worker/onnx worker/resize worker/score worker/tokenizer
worker/telemetry: shared/fleet shared/refs shared/rows shared/telemetry
worker/tokenizer: shared
worker/tune: shared shared/options shared/refs worker/decode worker/model worker/onnx worker/pipeline worker/resize
    worker/session worker/tokenizer
worker/vectorCache: shared shared/telemetry
worker/verdicts: shared shared/rows shared/runs
`;

const pathOf = (folder: string) => (folder === 'src' ? folder : `src/${folder}`);

/** Each folder of src, with the folders it may import from. An entry that nobody uses any more fails too. */
export const walls: Record<string, readonly string[]> = Object.fromEntries(
  table
    .trim()
    .split(/\n(?! )/)
    .map((line) => line.split(/[:\s]+/).filter((word) => word !== ''))
    .map(([folder, ...others]) => [pathOf(folder!), others.map(pathOf)]),
);
