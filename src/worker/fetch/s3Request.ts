import { AwsV4Signer } from 'aws4fetch';
import type { Dispatcher } from 'undici';
import { ClipfleetError } from '../../shared/errors.ts';
import { statusError } from './fetchUrl.ts';
import { discard } from './httpBody.ts';
import type { S3Environment } from './s3Environment.ts';
import type { S3Place } from './s3Uri.ts';

/** Signing keys of the days and regions asked for; deriving one costs four HMACs. */
type SigningKeys = Map<string, ArrayBuffer>;

export interface S3Client {
  /** An answer, whatever its status. `query` and `headers` are sent besides those of the signature. */
  get(
    place: S3Place,
    how: { query?: Record<string, string>; headers?: Record<string, string>; signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData>;
}

/** @param agent connects to whatever address the environment's endpoint has: the operator named it */
export function createS3Client(agent: Dispatcher, environment: S3Environment, userAgent: string): S3Client {
  const cache: SigningKeys = new Map();
  return {
    async get(place, { query = {}, headers = {}, signal }) {
      const url = objectUrl(place, environment);
      url.search = Object.entries(query)
        .map((pair) => pair.map(encode).join('='))
        .join('&');
      const signed = await sign(url, environment, cache);
      return agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...headers, ...signed },
        signal,
      });
    },
  };
}

/**
 * Amazon's own buckets have a host name of their own, unless a dot in it would not fit the certificate. Other servers are
 * asked by path, which all of them know.
 */
export function objectUrl({ bucket, key }: S3Place, { endpoint, region }: S3Environment): URL {
  const path = key.split('/').map(encode).join('/');
  if (endpoint !== undefined) return new URL(`${endpoint}/${bucket}/${path}`);
  const host = `s3.${region}.amazonaws.com`;
  const isHostName = /^[a-z0-9-]+$/.test(bucket);
  return new URL(isHostName ? `https://${bucket}.${host}/${path}` : `https://${host}/${bucket}/${path}`);
}

/** As the signature has it (RFC 3986), so that what is signed is what is sent. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function sign(
  url: URL,
  { credentials, region }: S3Environment,
  cache: SigningKeys,
): Promise<Record<string, string>> {
  if (credentials === undefined) return {};
  const signer = new AwsV4Signer({
    ...credentials,
    method: 'GET',
    url: url.href,
    service: 's3',
    region,
    cache,
  });
  return Object.fromEntries((await signer.sign()).headers);
}

/** What an answer that is no success says, with its body ended. Redirects are not followed: they lead to another region. */
export function s3Error(response: Dispatcher.ResponseData, from: string): ClipfleetError {
  discard(response);
  const region = response.headers['x-amz-bucket-region'];
  const { statusCode } = response;
  if (typeof region === 'string' && (statusCode === 301 || statusCode === 307 || statusCode === 400)) {
    const message = `Expected ${from} in the region asked for, but it is in ${region.slice(0, 40)}: set AWS_REGION.`;
    return new ClipfleetError('IMAGE_HTTP_STATUS', message);
  }
  return statusError(statusCode, from);
}
