import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ClipfleetError, type ErrorCode, errorTable } from '../../shared/errors.ts';
import { withoutSecrets } from '../../shared/withoutSecrets.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the error that the request was answered with. */
    problemCode: ErrorCode | undefined;
  }
}

/** The HTTP status of a code; 500 where none is said, because then the fault is the gateway's. */
const statuses: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  USAGE: 400,
  LABEL_SET_INVALID: 400,
  LABEL_NOT_EMBEDDED: 400,
  SOURCE_INVALID: 400,
  KEY_INVALID: 401,
  KEY_FORBIDDEN: 403,
  ROUTE_UNKNOWN: 404,
  METHOD_UNKNOWN: 405,
  RUN_UNKNOWN: 404,
  ROW_UNKNOWN: 404,
  LABEL_SET_UNKNOWN: 404,
  MODEL_NOT_FOUND: 404,
  FILE_UNKNOWN: 404,
  BATCH_UNKNOWN: 404,
  BATCH_INVALID: 400,
  BATCH_ENDED: 409,
  BATCH_CANCELLED: 409,
  BATCH_EXPIRED: 409,
  UPLOAD_UNKNOWN: 404,
  RUN_MISMATCH: 409,
  RUN_BUSY: 409,
  RUN_CANCELLED: 409,
  RUN_SEALED: 409,
  RUN_PAUSED: 409,
  IDEMPOTENCY_CONFLICT: 409,
  REQUEST_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  RATE_LIMITED: 429,
  QUEUE_FULL: 429,
  SPOOL_FULL: 429,
  REDIS_UNAVAILABLE: 503,
  RUN_TOO_LARGE: 503,
  GATEWAY_OVERLOADED: 503,
  FILES_FULL: 503,
  ANSWER_TIMEOUT: 503,
  UPLOAD_UNREAD: 503,
};

/** Codes of fastify and its plugins, by the code of ours that says the same. */
const foreignCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'REQUEST_TOO_LARGE',
  FST_REQ_FILE_TOO_LARGE: 'REQUEST_TOO_LARGE',
  FST_PARTS_LIMIT: 'REQUEST_TOO_LARGE',
  FST_FILES_LIMIT: 'REQUEST_TOO_LARGE',
  FST_FIELDS_LIMIT: 'REQUEST_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_UNDER_PRESSURE: 'GATEWAY_OVERLOADED',
};

/** An error as RFC 9457 writes it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** Stable: programs switch on it. */
  code: ErrorCode;
  requestId: string;
}

/** The status of an error of ours, for answers that carry one for each image. */
export function statusOf(code: ErrorCode): number {
  return statuses[code] ?? (errorTable[code].scope === 'image' ? 422 : 500);
}

/** Any thrown thing as an error with one of our codes. What is a fault of the gateway says nothing of its insides. */
export function asRequestError(thrown: unknown): ClipfleetError {
  if (thrown instanceof ClipfleetError) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const where = (thrown as { validationContext?: string }).validationContext ?? 'request';
    const faults = thrown.validation.slice(0, 5).map(({ instancePath, message }) => {
      return `${where}${instancePath.replaceAll('/', '.')}: ${message}`;
    });
    return new ClipfleetError('REQUEST_INVALID', `${faults.join('; ')}.`);
  }
  const { code = '', statusCode, message } = thrown as FastifyError;
  const known = foreignCodes[code];
  if (known) return new ClipfleetError(known, message);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new ClipfleetError('REQUEST_INVALID', message);
  return new ClipfleetError('INTERNAL', 'The gateway failed; its log has the reason under the request id.', {
    cause: thrown,
  });
}

/** Seconds after which another try may go well, for the statuses that say one. */
const RETRY_AFTER_S = 1;

/** Answers with the problem document of an error. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = asRequestError(thrown);
  const status = statusOf(error.code);
  reply.problemCode = error.code;
  const { isOpenAi } = request.routeOptions.config;
  if (status >= 500) request.log.error({ err: thrown, requestId: request.id }, 'request failed');
  if ((status === 429 || status === 503) && !reply.hasHeader('retry-after'))
    reply.header('retry-after', RETRY_AFTER_S);
  return reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...problemOf(error, request.id), ...(isOpenAi && openAiError(error)) }));
}

/** OpenAI's clients look for an error of their own form; a problem document may have more members. */
export function openAiError({ code, message }: ClipfleetError) {
  return { error: { message: withoutSecrets(message), type: code, param: null, code } };
}

/** @param requestId of the request that it answers */
export function problemOf({ code, message }: ClipfleetError, requestId: string): Problem {
  const status = statusOf(code);
  const { says } = errorTable[code];
  return {
    type: `urn:clipfleet:error:${code}`,
    title: says,
    status,
    detail: withoutSecrets(message),
    code,
    requestId,
  };
}
