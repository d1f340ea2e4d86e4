import { ClipfleetError } from '../../shared/errors.ts';

export interface S3Environment {
  region: string;
  /** Of another S3 than Amazon's, without a slash at its end; a path in it is kept. */
  endpoint?: string;
  /** Without them requests are not signed, which is enough for public buckets. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

/**
 * What the environment says about S3, by the variables of Amazon's own tools. A variable that is set but empty counts as
 * unset.
 *
 * Throws USAGE for an endpoint that is no web address, or one half of the keys.
 */
export function s3Environment(env: Readonly<Record<string, string | undefined>>): S3Environment {
  const endpoint = (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL)?.replace(/\/+$/, '');
  if (endpoint && !(/^https?:\/\/[^/?#@]+(\/[^?#]*)?$/i.test(endpoint) && URL.canParse(endpoint))) {
    const message = `Expected AWS_ENDPOINT_URL_S3 to be a web address such as http://minio:9000, got ${endpoint}.`;
    throw new ClipfleetError('USAGE', message);
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (Boolean(accessKeyId) !== Boolean(secretAccessKey)) {
    const missing = accessKeyId ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID';
    throw new ClipfleetError('USAGE', `Expected both keys of S3 or none, but ${missing} is not set.`);
  }
  const sessionToken = env.AWS_SESSION_TOKEN;
  return {
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1',
    ...(endpoint && { endpoint }),
    ...(accessKeyId &&
      secretAccessKey && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
      }),
  };
}
