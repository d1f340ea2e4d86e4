import { ClipfleetError } from '../shared/errors.ts';
import type { Prediction } from '../shared/rows/prediction.ts';
import type { ClassifyCallOptions, Client } from './client.ts';
import { createGateway, type Gateway } from './httpRequest.ts';
import { createHttpRun } from './httpRun.ts';
import { labelSetOf } from './inputs.ts';

const ANSWER_TIMEOUT_MS = 60_000;

/** @throws USAGE for what is no http URL */
export function createHttpClient(url: string, key?: string): Client {
  const gateway = createGateway(url, key);
  const close = async () => {};

  async function classify(
    image: Parameters<Client['classify']>[0],
    labels: readonly string[],
    how: ClassifyCallOptions,
  ): Promise<Prediction[]> {
    const { timeoutMs = ANSWER_TIMEOUT_MS } = how;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = how.signal ? AbortSignal.any([how.signal, timeout]) : timeout;
    try {
      const answer = await askFor(gateway, image, labels, { ...how, signal });
      return (await answer.json()) as Prediction[];
    } catch (error) {
      if (error !== timeout.reason) throw error;
      throw new ClipfleetError('ANSWER_TIMEOUT', `Expected an answer within ${timeoutMs} ms, got none.`);
    }
  }

  return {
    classify: (image, labels, how = {}) => classify(image, labels, how),
    async openRun({ labels, signal, ...others }) {
      const { labelSet: set, ...thresholds } = labelSetOf(labels);
      const { v: _, ...labelSet } = set;
      const json = { ...others, ...thresholds, labelSet };
      const answer = await gateway.ask('POST', '/v1/runs', { signal, json });
      return createHttpRun(gateway, ((await answer.json()) as { run: string }).run);
    },
    run: (id) => createHttpRun(gateway, id),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Bytes are uploaded as they are, texts said in JSON. */
function askFor(
  gateway: Gateway,
  image: Parameters<Client['classify']>[0],
  labels: readonly string[],
  { model, template, signal }: ClassifyCallOptions,
): Promise<Response> {
  if (typeof image === 'string' || image instanceof URL) {
    const parameters = {
      candidate_labels: labels,
      ...(template !== undefined && { hypothesis_template: template }),
    };
    const json = { inputs: String(image), parameters, ...(model !== undefined && { model }) };
    return gateway.ask('POST', '/v1/classify', { signal, json });
  }
  const form = new FormData();
  // As JSON: a label may hold a comma.
  form.append('candidate_labels', JSON.stringify(labels));
  if (template !== undefined) form.append('hypothesis_template', template);
  if (model !== undefined) form.append('model', model);
  form.append('image', image instanceof Blob ? image : new Blob([image as Uint8Array<ArrayBuffer>]));
  return gateway.ask('POST', '/v1/classify', { signal, form });
}
