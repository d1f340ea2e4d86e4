import { z } from 'zod';

/**
 * Where one image's bytes are, and what its producer calls it.
 *
 * `id` is unique in its run. `uri` is a plain path (under the worker's root `.`), `root://NAME/path`, a `file:`,
 * `http:`, `https:` or `data:` URL.
 */
export const imageRefSchema = z.strictObject({
  id: z.string().min(1).max(1024),
  uri: z
    .string()
    .min(1)
    .max(4 * 1024 * 1024),
});

export type ImageRef = z.infer<typeof imageRefSchema>;
