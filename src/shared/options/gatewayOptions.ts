import { join } from 'node:path';
import { z } from 'zod';
import { userCacheFolder } from '../files/userFolders.ts';
import { integer, option, text } from './option.ts';

/** The HTTP gateway: where it listens, whom it lets in, and how much it takes. */
export const gatewayOptions = {
  host: option({
    flag: 'host',
    env: 'CLIPFLEET_HOST',
    value: 'ADDRESS',
    schema: text,
    default: '127.0.0.1',
    says: 'Address that the gateway listens on. Others than loopback need --api-keys.',
  }),
  port: option({
    flag: 'port',
    env: 'CLIPFLEET_PORT',
    value: 'PORT',
    schema: integer(0, 65_535),
    default: '8321',
    says: 'Port that the gateway listens on; 0 takes a free one.',
  }),
  apiKeys: option({
    flag: 'api-keys',
    env: 'CLIPFLEET_API_KEYS',
    value: 'FILE',
    schema: text.optional(),
    says: 'File of the keys that the gateway lets in, one a line. Make lines with clipfleet key.',
  }),
  trustedHost: option({
    flag: 'trusted-host',
    env: 'CLIPFLEET_TRUSTED_HOST',
    value: 'NAME',
    repeat: true,
    schema: z.array(text).optional(),
    says: 'Serve without keys beyond this machine too, to whoever asks for this host name, such as a container’s. For a network that only trusted programs reach; repeat it.',
  }),
  scopes: option({
    flag: 'scopes',
    env: 'CLIPFLEET_SCOPES',
    value: 'LIST',
    schema: z
      .string()
      .regex(
        /^(read|enqueue|admin)(,(read|enqueue|admin))*$/,
        'Expected read, enqueue and admin, separated by commas',
      ),
    default: 'read,enqueue',
    says: 'What a new key may do: read, enqueue, or admin, which may also cancel and remove runs.',
  }),
  corsOrigin: option({
    flag: 'cors-origin',
    env: 'CLIPFLEET_CORS_ORIGIN',
    value: 'ORIGIN',
    schema: z
      .array(
        z
          .string()
          .refine(
            (origin) => URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin,
            'Expected an origin such as https://example.org',
          ),
      )
      .optional(),
    repeat: true,
    says: 'Site whose pages may ask the gateway from a browser (CORS). None may unless named.',
  }),
  gateway: option({
    flag: 'gateway',
    env: 'CLIPFLEET_GATEWAY',
    value: 'URL',
    schema: text
      .regex(/^https?:\/\/[^/?#@]+(\/[^?#]*)?$/i, 'Expected an http or https URL')
      .refine((url) => URL.canParse(url), 'Expected an http or https URL')
      .transform((url) => new URL(url).href.replace(/\/+$/, ''))
      .pipe(z.string())
      .optional(),
    defaultSays: 'where serve listens; of a worker http://127.0.0.1:8321',
    says: 'Address at which workers reach the gateway. serve names large uploads by it, and workers read them there, also where it is private. Give serve and workers the same.',
  }),
  gatewayKey: option({
    flag: 'gateway-key',
    env: 'CLIPFLEET_GATEWAY_KEY',
    value: 'KEY',
    schema: text.optional(),
    secret: true,
    says: 'Key with the scope read that workers show the gateway for uploads. Others on the machine see a flag in the list of processes: use the variable.',
  }),
  spool: option({
    flag: 'spool',
    env: 'CLIPFLEET_SPOOL',
    value: 'DIR',
    schema: text,
    default: (env) => join(userCacheFolder(env), 'spool'),
    defaultSays: 'clipfleet/spool in XDG_CACHE_HOME or ~/.cache',
    says: 'Folder where uploaded images of 256 kB and more wait for workers. Several gateways at one address need the same, shared.',
  }),
  spoolBytesMax: option({
    flag: 'spool-bytes-max',
    env: 'CLIPFLEET_SPOOL_BYTES_MAX',
    value: 'BYTES',
    schema: integer(1_000_000, Number.MAX_SAFE_INTEGER),
    default: '1000000000',
    says: 'Bytes of uploaded images that wait in --spool. Above it, requests with large images answer 429.',
  }),
  bodyBytesMax: option({
    flag: 'body-bytes-max',
    env: 'CLIPFLEET_BODY_BYTES_MAX',
    value: 'BYTES',
    schema: integer(1_000, 1_000_000_000),
    default: '20000000',
    says: 'Largest body of a request. Streams of images have no limit.',
  }),
  requestsPerMinute: option({
    flag: 'requests-per-minute',
    env: 'CLIPFLEET_REQUESTS_PER_MINUTE',
    value: 'N',
    schema: integer(1, 100_000_000),
    default: '60000',
    says: 'Requests of one key, or of one address without keys, over all gateways. Above it they answer 429.',
  }),
  interactiveWaitingMax: option({
    flag: 'interactive-waiting-max',
    env: 'CLIPFLEET_INTERACTIVE_WAITING_MAX',
    value: 'N',
    schema: integer(1, 1_000_000),
    default: '1000',
    says: 'Images that may wait in a model’s interactive lane. Above it, requests for single images answer 429.',
  }),
  answerTimeoutMs: option({
    flag: 'answer-timeout-ms',
    env: 'CLIPFLEET_ANSWER_TIMEOUT_MS',
    value: 'MS',
    schema: integer(100, 3_600_000),
    default: '60000',
    says: 'How long a request for a single image waits for its answer.',
  }),
  answerKeptMs: option({
    flag: 'answer-kept-ms',
    env: 'CLIPFLEET_ANSWER_KEPT_MS',
    value: 'MS',
    schema: integer(1_000, 30 * 24 * 3_600_000),
    default: '3600000',
    says: 'How long Redis keeps the run and the row of a single image, at least until a second after the answer’s time limit.',
  }),
  webhookSecrets: option({
    flag: 'webhook-secrets',
    env: 'CLIPFLEET_WEBHOOK_SECRETS',
    value: 'FILE',
    schema: text.optional(),
    says: 'File of the secrets that sign webhooks, whsec_ and base64, one a line. Without it runs name no webhook. Several gateways need the same.',
  }),
  filesDir: option({
    flag: 'files-dir',
    env: 'CLIPFLEET_FILES_DIR',
    value: 'DIR',
    schema: text.optional(),
    defaultSays: 'files in --data-dir',
    says: 'Folder of the files of batches. Several gateways on one Redis need the same, shared.',
  }),
  filesBytesMax: option({
    flag: 'files-bytes-max',
    env: 'CLIPFLEET_FILES_BYTES_MAX',
    value: 'BYTES',
    schema: integer(1_000, Number.MAX_SAFE_INTEGER),
    default: '10000000000',
    says: 'Most bytes in --files-dir. Above it, uploads are refused and batches wait for room.',
  }),
  fileBytesMax: option({
    flag: 'file-bytes-max',
    env: 'CLIPFLEET_FILE_BYTES_MAX',
    value: 'BYTES',
    schema: integer(1_000, Number.MAX_SAFE_INTEGER),
    default: '200000000',
    says: 'Largest file that is uploaded for a batch.',
  }),
  filesKeptMs: option({
    flag: 'files-kept-ms',
    env: 'CLIPFLEET_FILES_KEPT_MS',
    value: 'MS',
    schema: integer(1_000, 365 * 24 * 3_600_000),
    default: '2592000000',
    says: 'How long batches and their files stay, unless a request says another time for a file.',
  }),
} as const;
