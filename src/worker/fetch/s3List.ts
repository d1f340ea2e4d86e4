import { SaxesParser } from 'saxes';
import { ClipfleetError } from '../../shared/errors.ts';

/** Some of the objects of a bucket, and what to ask for the next ones with; undefined at the end. */
export interface ListPage {
  keys: string[];
  next: string | undefined;
}

/**
 * The answer of ListObjectsV2 with `encoding-type=url`, without which a key of control characters would be no XML.
 *
 * Throws FETCH_FAILED for what is not one.
 */
export function readListPage(xml: string, from: string): ListPage {
  const page: ListPage & { truncated: boolean; root: string } = {
    keys: [],
    next: undefined,
    truncated: false,
    root: '',
  };
  const path: string[] = [];
  let text = '';
  const parser = new SaxesParser();
  parser.on('opentag', ({ name }) => {
    path.push(name);
    text = '';
  });
  parser.on('text', (piece) => {
    text += piece;
  });
  parser.on('closetag', () => {
    const [root = '', ...below] = path;
    page.root = root;
    const at = below.join('/');
    if (at === 'Contents/Key') page.keys.push(decodeURIComponent(text.replaceAll('+', ' ')));
    if (at === 'NextContinuationToken') page.next = text;
    if (at === 'IsTruncated') page.truncated = text === 'true';
    path.pop();
  });
  try {
    // Without a handler of its own, the parser throws at the first fault.
    parser.write(xml).close();
  } catch (error) {
    throw notAList(from, (error as Error).message, error);
  }
  if (page.root !== 'ListBucketResult') throw notAList(from, `<${page.root}>`);
  if (page.truncated && page.next === undefined) throw notAList(from, 'one that goes on without a token');
  return { keys: page.keys, next: page.truncated ? page.next : undefined };
}

function notAList(from: string, got: string, cause?: unknown): ClipfleetError {
  const message = `Expected a list of the objects at ${from}, got ${got.slice(0, 200)}.`;
  return new ClipfleetError('FETCH_FAILED', message, { cause });
}
