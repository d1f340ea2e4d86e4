import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/fleet.ts';
import { filesOf } from '../support/repositoryFiles.ts';

const pages = await filesOf('{README.md,CONTRIBUTING.md,SECURITY.md,docs/*.md}');

/** The anchor that a code host makes of a heading. */
function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
  return words.trim().replaceAll(' ', '-');
}

const anchors = new Map(
  pages.map(({ path, text }) => {
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1]!));
    return [path, headings];
  }),
);

test('every relative link of README and docs leads to a file, and every anchor to a heading', () => {
  for (const { path, text } of pages) {
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [file, anchor] = target!.split('#') as [string, string | undefined];
      const full = file === '' ? path : join(dirname(path), file);
      assert.ok(existsSync(join(repository, full)), `${path} links to ${target}`);
      if (anchor !== undefined) assert.ok(anchors.get(full)?.includes(anchor), `${path} links to ${target}`);
    }
  }
});
