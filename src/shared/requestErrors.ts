/** What may be wrong with one HTTP request, beside what its run, label set or model may have. */
export const requestErrors = {
  REQUEST_INVALID: {
    retry: false,
    scope: 'request',
    says: 'The path, the query or the body does not have the documented form.',
  },
  REQUEST_TOO_LARGE: { retry: false, scope: 'request', says: 'More bytes than allowed.' },
  MEDIA_TYPE_UNSUPPORTED: {
    retry: false,
    scope: 'request',
    says: 'The route does not take bodies of this media type.',
  },
  KEY_INVALID: { retry: false, scope: 'request', says: 'The API key is missing or unknown.' },
  KEY_FORBIDDEN: { retry: false, scope: 'request', says: 'The API key does not have the needed scope.' },
  ROUTE_UNKNOWN: { retry: false, scope: 'request', says: 'There is no such route.' },
  METHOD_UNKNOWN: {
    retry: false,
    scope: 'request',
    says: 'The route does not take this method. Allow says which it takes.',
  },
  ROW_UNKNOWN: { retry: true, scope: 'request', says: 'The run has no row for that image id yet.' },
  IDEMPOTENCY_CONFLICT: {
    retry: true,
    scope: 'request',
    says: 'The idempotency key belongs to another request, or to one that is still in progress.',
  },
  RATE_LIMITED: {
    retry: true,
    scope: 'request',
    says: 'The key or address made more requests than allowed. Retry-After says when to go on.',
  },
  QUEUE_FULL: {
    retry: true,
    scope: 'request',
    says: 'Too many images wait in the interactive lane. Retry-After says when to try again.',
  },
  FILE_UNKNOWN: {
    retry: false,
    scope: 'request',
    says: 'The gateway has no file of that id: it was deleted, or has expired.',
  },
  FILES_FULL: { retry: true, scope: 'request', says: 'The gateway has no room for more files.' },
  BATCH_UNKNOWN: { retry: false, scope: 'request', says: 'There is no batch of that id, or no longer.' },
  BATCH_INVALID: {
    retry: false,
    scope: 'request',
    says: 'The file of a batch holds no requests, or too many.',
  },
  BATCH_ENDED: { retry: false, scope: 'request', says: 'The batch has ended already.' },
  BATCH_CANCELLED: {
    retry: false,
    scope: 'request',
    says: 'The batch was cancelled before the request was answered.',
  },
  BATCH_EXPIRED: {
    retry: false,
    scope: 'request',
    says: 'The batch came to the end of its time before the request was answered.',
  },
  SPOOL_FULL: {
    retry: true,
    scope: 'request',
    says: 'Too many bytes of uploaded images wait. Retry-After says when to try again.',
  },
  UPLOAD_UNKNOWN: {
    retry: false,
    scope: 'request',
    says: 'No upload of that name waits: it was labeled, or has expired.',
  },
  UPLOAD_UNREAD: {
    retry: true,
    scope: 'request',
    says: 'Workers could not read an uploaded image from the gateway.',
  },
  ANSWER_TIMEOUT: {
    retry: true,
    scope: 'request',
    says: 'The answer did not come in time. The image may still get its row.',
  },
  GATEWAY_UNAVAILABLE: {
    retry: true,
    scope: 'request',
    says: 'The gateway does not answer, or the connection to it broke off. The client says so.',
  },
  GATEWAY_OVERLOADED: {
    retry: true,
    scope: 'request',
    says: 'The gateway is at its limit. Retry-After says when to try again.',
  },
} as const;
