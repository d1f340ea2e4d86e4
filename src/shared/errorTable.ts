/**
 * Every failure Clipfleet can name, in one closed list. The code is stable: programs switch on it, never on the
 * words. Whether another attempt can help is a property of the code, and nothing else decides it.
 *
 * `scope` says what is lost: one image (it gets a `failed` row), one job (all its images get `failed` rows, or, when
 * not even the run can be read from it, it stays in the queue's failed set), or the whole command (exit code 1).
 */
export const errorTable = {
  // One image.
  IMAGE_NOT_FOUND: { retry: false, scope: 'image', says: 'No file at the uri, or HTTP 404 or 410.' },
  IMAGE_FORBIDDEN: { retry: false, scope: 'image', says: 'The file may not be read, or HTTP 401 or 403.' },
  IMAGE_OUTSIDE_ROOTS: {
    retry: false,
    scope: 'image',
    says: 'The path is outside all roots that this worker serves.',
  },
  IMAGE_URI_INVALID: {
    retry: false,
    scope: 'image',
    says: 'The uri cannot be parsed, or its scheme is not supported.',
  },
  IMAGE_ADDRESS_BLOCKED: {
    retry: false,
    scope: 'image',
    says: 'The URL leads to an address that is not public.',
  },
  IMAGE_TOO_LARGE: { retry: false, scope: 'image', says: 'More bytes than allowed.' },
  IMAGE_TOO_MANY_PIXELS: { retry: false, scope: 'image', says: 'More pixels than allowed.' },
  IMAGE_SIDE_TOO_LONG: { retry: false, scope: 'image', says: 'A side longer than allowed.' },
  IMAGE_TOO_MANY_SCANS: {
    retry: false,
    scope: 'image',
    says: 'A JPEG of more scans than allowed: each goes over the whole image.',
  },
  IMAGE_TOO_MUCH_MEMORY: { retry: false, scope: 'image', says: 'Decoding took more memory than allowed.' },
  IMAGE_EMPTY: { retry: false, scope: 'image', says: 'Zero bytes.' },
  IMAGE_UNSUPPORTED: {
    retry: false,
    scope: 'image',
    says: 'Not an image, or a format that is not supported.',
  },
  IMAGE_CORRUPT: { retry: false, scope: 'image', says: 'The image is truncated or inconsistent.' },
  IMAGE_HTTP_STATUS: {
    retry: false,
    scope: 'image',
    says: 'An HTTP status that a retry will not change.',
  },
  IMAGE_TOO_MANY_REDIRECTS: { retry: false, scope: 'image', says: 'More redirects than allowed.' },
  FETCH_FAILED: {
    retry: true,
    scope: 'image',
    says: 'The connection failed or was closed, or HTTP 408, 425, 429 or 5xx.',
  },
  FETCH_TIMEOUT: { retry: true, scope: 'image', says: 'The bytes did not arrive in time.' },
  HOST_BUSY: {
    retry: false,
    scope: 'image',
    says: 'The host throttled requests for longer than --host-patience-ms.',
  },
  HOST_DOWN: {
    retry: false,
    scope: 'image',
    says: 'The host has failed to answer, or answered the run only with HTTP 5xx, for longer than --host-down-ms. No request was made.',
  },
  HOST_UNRESOLVED: {
    retry: false,
    scope: 'image',
    says: 'The name server has not answered for the host’s name for longer than --host-down-ms. No request was made.',
  },
  READ_FAILED: { retry: true, scope: 'image', says: 'The disk or share gave an error while reading.' },
  DECODE_TIMEOUT: { retry: false, scope: 'image', says: 'Decoding took longer than allowed.' },
  IMAGE_CRASHED_DECODER: { retry: false, scope: 'image', says: 'It ended its decoder, also alone.' },
  IMAGE_CRASHED_WORKER: {
    retry: false,
    scope: 'image',
    says: 'Two processes died of it, each alone with it.',
  },
  INFERENCE_FAILED: { retry: true, scope: 'image', says: 'The session failed on the batch.' },

  // One job.
  JOB_INVALID: { retry: false, scope: 'job', says: 'The job does not have the wire format.' },
  JOB_NEWER: {
    retry: true,
    scope: 'job',
    says: 'The job has a newer wire version than this worker can read.',
  },
  LABEL_SET_UNKNOWN: { retry: false, scope: 'job', says: 'No label set is stored under the id.' },
  LABEL_NOT_EMBEDDED: {
    retry: false,
    scope: 'job',
    says: 'The text tower gives no embedding for a prompt.',
  },
  LABEL_SET_INVALID: {
    retry: false,
    scope: 'job',
    says: 'The label set does not have the format, or does not match its id.',
  },

  // The whole command.
  USAGE: {
    retry: false,
    scope: 'command',
    says: 'The command line or the environment is wrong.',
  },
  NO_IMAGES: { retry: false, scope: 'command', says: 'There is no image in the given paths.' },
  REDIS_MISSING: {
    retry: false,
    scope: 'command',
    says: 'No Redis server is installed and REDIS_URL is not set.',
  },
  REDIS_UNAVAILABLE: { retry: true, scope: 'command', says: 'Redis does not answer.' },
  REDIS_UNSUITABLE: {
    retry: false,
    scope: 'command',
    says: 'The Redis server is too old, or may evict keys.',
  },
  RUN_UNKNOWN: { retry: false, scope: 'command', says: 'There is no run with that id.' },
  RUN_UNREADABLE: { retry: false, scope: 'command', says: 'The run is of a newer version, or not ours.' },
  RUN_MISMATCH: { retry: false, scope: 'command', says: 'The run has another model or label set.' },
  RUN_BUSY: { retry: true, scope: 'command', says: 'Another process works on the run.' },
  RUN_TOO_LARGE: {
    retry: false,
    scope: 'command',
    says: 'The rows of the run do not fit into Redis’ memory limit.',
  },
  RUN_PAUSED: { retry: false, scope: 'command', says: 'The run was paused meanwhile.' },
  RUN_CANCELLED: {
    retry: false,
    scope: 'command',
    says: 'The run is cancelled. It takes no more images or rows.',
  },
  RUN_SEALED: { retry: false, scope: 'command', says: 'The run is sealed. No images can be added.' },
  SOURCE_INVALID: {
    retry: false,
    scope: 'command',
    says: 'A list or archive of images is truncated or does not have its format.',
  },
  SOURCE_UNAVAILABLE: {
    retry: true,
    scope: 'command',
    says: 'A list, archive or bucket of images cannot be read now.',
  },
  OUTPUT_FAILED: {
    retry: true,
    scope: 'command',
    says: 'The rows cannot be written to the output, or its disk is full.',
  },
  MODEL_NOT_FOUND: {
    retry: false,
    scope: 'command',
    says: 'There is no such model directory, or no such model on the Hub.',
  },
  MODEL_INVALID: {
    retry: false,
    scope: 'command',
    says: 'A file of the model is missing or cannot be read.',
  },
  MODEL_UNSUPPORTED: {
    retry: false,
    scope: 'command',
    says: 'The family or layout of the model is not supported.',
  },
  MODEL_SCALE_UNKNOWN: {
    retry: false,
    scope: 'command',
    says: 'The logit scale was not found. It is never guessed.',
  },
  DEVICE_UNAVAILABLE: {
    retry: false,
    scope: 'command',
    says: 'The named device is not available, or its libraries are missing.',
  },
  HUB_UNAVAILABLE: { retry: true, scope: 'command', says: 'The Hub cannot be reached.' },
  HUB_FORBIDDEN: { retry: false, scope: 'command', says: 'The Hub refused: the model is private or gated.' },
  HUB_CORRUPT: {
    retry: true,
    scope: 'command',
    says: 'A downloaded file does not have the hash that the Hub states.',
  },
  CACHE_UNWRITABLE: {
    retry: false,
    scope: 'command',
    says: 'The cache for downloaded models is not writable, or its disk is full.',
  },
  SESSION_LOST: {
    retry: true,
    scope: 'command',
    says: 'The session or the scoring thread ended unexpectedly. Restart the process.',
  },
  LANE_STUCK: { retry: true, scope: 'command', says: 'Jobs wait, and the worker is given none. Restart it.' },
  PORT_UNAVAILABLE: { retry: false, scope: 'command', says: 'The address or port is taken or not allowed.' },
  INTERNAL: { retry: false, scope: 'command', says: 'A broken invariant. This is a bug.' },
} as const satisfies Record<string, { retry: boolean; scope: 'image' | 'job' | 'command'; says: string }>;

export type ErrorCode = keyof typeof errorTable;
