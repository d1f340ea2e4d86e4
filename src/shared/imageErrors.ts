/** What may be wrong with one image: it gets a `failed` row with the code, and the others go on. */
export const imageErrors = {
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
  VECTOR_UNREADABLE: {
    retry: true,
    scope: 'image',
    says: 'The kept vector that the image is labeled from cannot be read, or is of another model.',
  },
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
  ROW_REFUSED: {
    retry: false,
    scope: 'image',
    says: 'The database does not take the row, whatever the try: a constraint or trigger stands against it.',
  },
  INFERENCE_FAILED: { retry: true, scope: 'image', says: 'The session failed on the batch.' },
} as const;
