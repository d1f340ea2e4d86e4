/**
 * The scheme of a uri in lower case, or undefined when it is a plain path.
 *
 * A colon alone makes no scheme, since `a:b.jpg` is a file name: it takes `://`, or `data:`, `file:` or the numbers of a
 * `tar:` member in front. A file whose name begins so is written `./data:x.jpg`.
 */
export function schemeOf(uri: string): string | undefined {
  return /^(data|file|tar(?=:\d+\+\d+:)|[a-z][a-z0-9+.-]*(?=:\/\/)):/i.exec(uri)?.[1]?.toLowerCase();
}
