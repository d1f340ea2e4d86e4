import { z } from 'zod';

/** In UTF-16 units, as JavaScript counts them. */
export const imageRefLimits = { idCharsMax: 1_024, uriCharsMax: 4 * 1024 * 1024 };

/**
 * Where one image's bytes are, and what its producer calls it.
 *
 * `id` is unique in its run. `uri` is a plain path (under the worker's root `.`), `root://NAME/path`, a `file:`,
 * `http:`, `https:` or `data:` URL, `s3://BUCKET/KEY`, or a member of a tar archive at one of these but `data:` (tarUri.ts).
 */
export const imageRefSchema = z.strictObject({
  id: z.string().min(1).max(imageRefLimits.idCharsMax),
  uri: z.string().min(1).max(imageRefLimits.uriCharsMax),
});

export type ImageRef = z.infer<typeof imageRefSchema>;
