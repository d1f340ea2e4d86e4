import { ClipfleetError } from '../../shared/errors.ts';

/** What an S3 uri names. The key is as it is, not percent-encoded, as S3's own tools write it; empty for the bucket. */
export interface S3Place {
  bucket: string;
  key: string;
}

/** Throws IMAGE_URI_INVALID. */
export function parseS3Uri(uri: string): S3Place {
  const [, bucket, key = ''] = /^s3:\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,62})(?:\/(.*))?$/is.exec(uri) ?? [];
  // A URL has no segments of dots: such a key could be signed, but never asked for.
  if (bucket !== undefined && !key.split('/').some((segment) => segment === '.' || segment === '..'))
    return { bucket, key };
  const shown = JSON.stringify(uri.slice(0, 200));
  throw new ClipfleetError(
    'IMAGE_URI_INVALID',
    `Expected s3://BUCKET/KEY without segments of dots, got ${shown}.`,
  );
}

export function formatS3Uri({ bucket, key }: S3Place): string {
  return `s3://${bucket}/${key}`;
}
