import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { serveHttp } from './imageServer.ts';

export const s3Keys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
export const s3Region = 'eu-central-1';

/** A server that speaks S3 as far as reading goes, by path, and checks signatures by Amazon's description of them. */
export interface S3Server {
  endpoint: string;
  /** What a command finds in its environment. */
  env: Record<string, string>;
  /** Bucket, then key, then content. The bucket `public` may be read by anybody. */
  buckets: Record<string, Record<string, Uint8Array>>;
  /** Each request: its path, and its range. */
  requests: string[];
  /** The User-Agents of its requests. */
  agents: Set<string | undefined>;
  /** Goes with the keys when set. */
  sessionToken?: string;
  /** Statuses to answer the next requests with, instead of an answer. */
  failures: number[];
}

/** Keys of one page of a list, where S3 has a thousand. */
const PAGE_KEYS = 3;

export async function serveS3(t: TestContext): Promise<S3Server> {
  const server: S3Server = {
    endpoint: '',
    env: {},
    buckets: {},
    requests: [],
    agents: new Set(),
    failures: [],
  };
  server.endpoint = await serveHttp(t, (request, response) => answer(server, request, response));
  server.env = {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_REGION: s3Region,
    AWS_ACCESS_KEY_ID: s3Keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3Keys.secretAccessKey,
  };
  return server;
}

function answer(server: S3Server, request: IncomingMessage, response: ServerResponse): void {
  server.requests.push(`${request.url} ${request.headers.range ?? ''}`.trim());
  server.agents.add(request.headers['user-agent']);
  const failure = server.failures.shift();
  if (failure !== undefined) return void fail(response, failure, 'SlowDown');
  const [path = '', query = ''] = request.url!.split('?');
  const [, bucket = '', ...parts] = path.split('/');
  const key = decodeURIComponent(parts.join('/'));
  const objects = server.buckets[bucket];
  const fault =
    bucket === 'public' && !request.headers.authorization
      ? undefined
      : signatureFault(request, server.sessionToken);
  if (fault !== undefined) return void fail(response, 403, fault);
  if (objects === undefined) return void fail(response, 404, 'NoSuchBucket');
  if (key === '') return void list(response, objects, new URLSearchParams(query));
  const content = objects[key];
  if (content === undefined) return void fail(response, 404, 'NoSuchKey');
  sendObject(request, response, content);
}

function fail(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<Error><Code>${code}</Code></Error>`);
}

function sendObject(request: IncomingMessage, response: ServerResponse, content: Uint8Array): void {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined)
    return void response.writeHead(200, { 'content-length': content.length }).end(content);
  const start = Number(from);
  const end = Math.min(Number(to) + 1, content.length);
  if (start >= content.length) {
    response.setHeader('content-range', `bytes */${content.length}`);
    return void fail(response, 416, 'InvalidRange');
  }
  const headers = {
    'content-range': `bytes ${start}-${end - 1}/${content.length}`,
    'content-length': end - start,
  };
  response.writeHead(206, headers).end(content.subarray(start, end));
}

/** ListObjectsV2. */
function list(response: ServerResponse, objects: Record<string, Uint8Array>, query: URLSearchParams): void {
  if (query.get('list-type') !== '2' || query.get('encoding-type') !== 'url')
    return void fail(response, 400, 'InvalidArgument');
  const prefix = query.get('prefix') ?? '';
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
  const keys = Object.keys(objects)
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort();
  const page = keys.slice(0, PAGE_KEYS);
  const isTruncated = keys.length > page.length;
  const token = Buffer.from(page.at(-1) ?? '').toString('base64');
  const contents = page.map(
    (key) =>
      `<Contents><Key>${encodeURIComponent(key).replaceAll('%20', '+')}</Key><Size>1</Size></Contents>`,
  );
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
      `<Name>b</Name><IsTruncated>${isTruncated}</IsTruncated>${contents.join('')}` +
      `${isTruncated ? `<NextContinuationToken>${token}</NextContinuationToken>` : ''}</ListBucketResult>`,
  );
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/**
 * Why the request is not one that the holder of the keys signed, or undefined. The canonical request is made anew of what
 * was received: "Signature Version 4 signing process" of the S3 API reference, in the form with an Authorization header.
 */
function signatureFault({ method, url, headers }: IncomingMessage, token?: string): string | undefined {
  const parsed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=(\w{64})$/.exec(
      headers.authorization ?? '',
    );
  if (parsed === null) return 'AccessDenied';
  const [, keyId, day, region, signed, signature] = parsed as unknown as string[];
  if (keyId !== s3Keys.accessKeyId) return 'InvalidAccessKeyId';
  if (region !== s3Region) return 'AuthorizationHeaderMalformed';
  const names = signed!.split(';');
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => names.includes(name)))
    return 'AccessDenied';
  const date = String(headers['x-amz-date']);
  const sent = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(Date.now() - sent) < 15 * 60 * 1000) || !date.startsWith(day!))
    return 'RequestTimeTooSkewed';
  if (token !== undefined && !names.includes('x-amz-security-token')) return 'AccessDenied';
  if (headers['x-amz-security-token'] !== token) return 'InvalidToken';
  const [path = '', query = ''] = url!.split('?');
  const canonical = [
    method,
    // As it was sent: a client that encodes otherwise than the signature has it would fail on stricter servers.
    path,
    query.split('&').sort().join('&'),
    ...names.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signed,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`;
  const key = ['s3', 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(hmac(`AWS4${s3Keys.secretAccessKey}`, day!), region!),
  );
  const expected = hmac(key, toSign);
  return timingSafeEqual(expected, Buffer.from(signature!, 'hex')) ? undefined : 'SignatureDoesNotMatch';
}
