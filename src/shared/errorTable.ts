/**
 * Every failure Clipfleet can name, in one closed list. The code is stable: programs switch on it, never on the
 * words. Whether another attempt can help is a property of the code, and nothing else decides it.
 *
 * `scope` says what is lost: one image (it gets a `failed` row), one job (all its images get `failed` rows, or, when
 * not even the run can be read from it, it stays in the queue's failed set), or the whole command (exit code 1).
 */
export const errorTable = {
  // One image.
  IMAGE_NOT_FOUND: {
    retry: false,
    scope: 'image',
    says: 'No file, or HTTP 404 or 410, where the uri points.',
  },
  IMAGE_FORBIDDEN: { retry: false, scope: 'image', says: 'The file may not be read, or HTTP 401 or 403.' },
  IMAGE_OUTSIDE_ROOTS: {
    retry: false,
    scope: 'image',
    says: 'A path that is under none of the roots this worker serves.',
  },
  IMAGE_URI_INVALID: {
    retry: false,
    scope: 'image',
    says: 'The uri cannot be parsed, or its scheme is not one that is read.',
  },
  IMAGE_ADDRESS_BLOCKED: {
    retry: false,
    scope: 'image',
    says: 'The URL leads to an address that is not public.',
  },
  IMAGE_TOO_LARGE: { retry: false, scope: 'image', says: 'More bytes than allowed.' },
  IMAGE_TOO_MANY_PIXELS: { retry: false, scope: 'image', says: 'More pixels than allowed.' },
  IMAGE_EMPTY: { retry: false, scope: 'image', says: 'Zero bytes.' },
  IMAGE_UNSUPPORTED: { retry: false, scope: 'image', says: 'Not an image, or a format that is not read.' },
  IMAGE_CORRUPT: { retry: false, scope: 'image', says: 'An image that breaks off or contradicts itself.' },
  IMAGE_HTTP_STATUS: {
    retry: false,
    scope: 'image',
    says: 'An HTTP status that another attempt will not change.',
  },
  IMAGE_TOO_MANY_REDIRECTS: { retry: false, scope: 'image', says: 'More redirects than allowed.' },
  FETCH_FAILED: {
    retry: true,
    scope: 'image',
    says: 'The connection failed or broke off, or HTTP 408, 425, 429 or 5xx.',
  },
  FETCH_TIMEOUT: { retry: true, scope: 'image', says: 'The bytes did not arrive in time.' },
  HOST_BUSY: {
    retry: false,
    scope: 'image',
    says: 'The host went on asking for fewer requests for longer than --host-patience-ms.',
  },
  HOST_DOWN: {
    retry: false,
    scope: 'image',
    says: 'The host has not answered, or the run only with HTTP 5xx, for longer than --host-down-ms; it was not asked.',
  },
  HOST_UNRESOLVED: {
    retry: false,
    scope: 'image',
    says: 'The name server has not answered for the host’s name for longer than --host-down-ms; the host was not asked.',
  },
  READ_FAILED: { retry: true, scope: 'image', says: 'The disk or share gave an error while reading.' },
  DECODE_TIMEOUT: { retry: false, scope: 'image', says: 'Decoding took longer than allowed.' },
  WORKER_LOST: {
    retry: false,
    scope: 'image',
    says: 'The workers that took the job died again and again while working on it.',
  },
  INFERENCE_FAILED: { retry: true, scope: 'image', says: 'The session refused or broke on the batch.' },

  // One job.
  JOB_INVALID: { retry: false, scope: 'job', says: 'The job is not of the wire format.' },
  JOB_NEWER: {
    retry: true,
    scope: 'job',
    says: 'The job is of a newer wire version than this worker reads.',
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
    says: 'The label set is not of the format, or not the one its id names.',
  },

  // The whole command.
  USAGE: {
    retry: false,
    scope: 'command',
    says: 'The command line or the environment asks for something that is not there.',
  },
  NO_IMAGES: { retry: false, scope: 'command', says: 'The paths given hold no image.' },
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
  RUN_UNKNOWN: { retry: false, scope: 'command', says: 'No run of that id.' },
  RUN_MISMATCH: { retry: false, scope: 'command', says: 'The run is of another model or label set.' },
  RUN_BUSY: { retry: true, scope: 'command', says: 'Another process is working on the run.' },
  RUN_TOO_LARGE: {
    retry: false,
    scope: 'command',
    says: 'The rows of the run will not fit into the memory that Redis may use.',
  },
  RUN_PAUSED: {
    retry: false,
    scope: 'command',
    says: 'The run was paused while the command worked on it.',
  },
  RUN_CANCELLED: {
    retry: false,
    scope: 'command',
    says: 'The run is cancelled: it takes nothing more, and no row.',
  },
  RUN_SEALED: { retry: false, scope: 'command', says: 'The run is sealed: nothing can be added.' },
  SOURCE_INVALID: {
    retry: false,
    scope: 'command',
    says: 'A list or an archive that images are taken from breaks off, or is not of its format.',
  },
  SOURCE_UNAVAILABLE: {
    retry: true,
    scope: 'command',
    says: 'A list, an archive or a bucket that images are taken from cannot be read now.',
  },
  MODEL_NOT_FOUND: {
    retry: false,
    scope: 'command',
    says: 'No model directory, or no such model on the Hub.',
  },
  MODEL_INVALID: {
    retry: false,
    scope: 'command',
    says: 'The model directory lacks a file, or one cannot be read.',
  },
  MODEL_UNSUPPORTED: {
    retry: false,
    scope: 'command',
    says: 'The model is of a family or layout that cannot be run.',
  },
  MODEL_SCALE_UNKNOWN: {
    retry: false,
    scope: 'command',
    says: 'The logit scale cannot be found, and is not guessed.',
  },
  DEVICE_UNAVAILABLE: {
    retry: false,
    scope: 'command',
    says: 'The device that was named is not there, or lacks its libraries.',
  },
  HUB_UNAVAILABLE: { retry: true, scope: 'command', says: 'The Hub cannot be reached.' },
  HUB_FORBIDDEN: { retry: false, scope: 'command', says: 'The Hub refuses: the model is private or gated.' },
  HUB_CORRUPT: {
    retry: true,
    scope: 'command',
    says: 'A downloaded file does not have the hash the Hub names.',
  },
  CACHE_UNWRITABLE: {
    retry: false,
    scope: 'command',
    says: 'The cache for downloaded models cannot be written, or its disk is full.',
  },
  SESSION_LOST: {
    retry: true,
    scope: 'command',
    says: 'The session or the scoring thread ended by itself; the process must be started again.',
  },
  INTERNAL: { retry: false, scope: 'command', says: 'A broken invariant. This is a bug.' },
} as const satisfies Record<string, { retry: boolean; scope: 'image' | 'job' | 'command'; says: string }>;

export type ErrorCode = keyof typeof errorTable;
