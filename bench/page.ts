import { readFile, writeFile } from 'node:fs/promises';

const page = new URL('../../docs/benchmarks.md', import.meta.url);

/**
 * Puts a section on docs/benchmarks.md: between its markers where it has some, at the end otherwise. So a bench that runs
 * again replaces its figures, and what people wrote around the markers stays.
 */
export async function writeSection(name: string, text: string): Promise<void> {
  await writeFile(page, withSection(await readFile(page, 'utf8'), name, text));
}

export function withSection(before: string, name: string, text: string): string {
  const [from, to] = [`<!-- bench ${name} -->`, `<!-- end of ${name} -->`];
  const section = `${from}\n${text.trim()}\n${to}`;
  const start = before.indexOf(from);
  const end = before.indexOf(to, start);
  if (start < 0 || end < 0) return `${before.trimEnd()}\n\n${section}\n`;
  return before.slice(0, start) + section + before.slice(end + to.length);
}
