/** The failures of whole commands: the part of the table of errors (errorTable.ts) with the scope `command`. */
export const commandErrors = {
  USAGE: { retry: false, scope: 'command', says: 'The command line or the environment is wrong.' },
  NO_IMAGES: { retry: false, scope: 'command', says: 'There is no image in the given paths.' },
  REDIS_MISSING: {
    retry: false,
    scope: 'command',
    says: 'No Redis server is installed and REDIS_URL is not set.',
  },
  DATA_DIR_UNUSABLE: {
    retry: false,
    scope: 'command',
    says: 'The folder for runs, or for the socket of its Redis server, cannot be made or written, or is not the user’s alone.',
  },
  STORE_UNAVAILABLE: {
    retry: true,
    scope: 'command',
    says: 'The database of --store does not answer, or does not let Clipfleet in.',
  },
  STORE_UNSUITABLE: {
    retry: false,
    scope: 'command',
    says: 'The database of --store is too old, not in UTF-8, or has tables of a newer Clipfleet.',
  },
  STORE_MISMATCH: {
    retry: false,
    scope: 'command',
    says: 'The rows of the run are in another results store than the command was given.',
  },
  REDIS_UNAVAILABLE: { retry: true, scope: 'command', says: 'Redis does not answer.' },
  REDIS_UNSUITABLE: {
    retry: false,
    scope: 'command',
    says: 'The Redis server is too old, may evict keys, is a replica or a cluster of several nodes, or holds something else under our keys.',
  },
  REDIS_FORBIDDEN: {
    retry: false,
    scope: 'command',
    says: 'Redis refused the password, the user, the database number, or a command that is needed.',
  },
  RUN_UNKNOWN: { retry: false, scope: 'command', says: 'There is no run with that id.' },
  RUN_UNREADABLE: { retry: false, scope: 'command', says: 'The run is of a newer version, or not ours.' },
  RUN_MISMATCH: { retry: false, scope: 'command', says: 'The run has another model or label set.' },
  RUN_BUSY: { retry: true, scope: 'command', says: 'Another process works on the run.' },
  RUN_LOST: {
    retry: true,
    scope: 'command',
    says: 'Redis lost the run, or images of it, while they were added. The same command with --run repairs it.',
  },
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
  VECTORS_UNUSABLE: { retry: false, scope: 'command', says: 'Kept vectors are missing or of another model.' },
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
} as const;
