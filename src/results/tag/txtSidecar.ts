/** Whether a label can stand between commas. */
export function isTxtLabel(label: string): boolean {
  return !/[,\r\n]/.test(label);
}

/** Tags with commas between them, as trainers of image models read them: those that are there first, as they are. The text itself where none is new. */
export function withTags(
  text: string | undefined,
  labels: readonly string[],
): { text: string; added: string[] } {
  const before = new Set(tagsOf(text ?? ''));
  const added = labels.filter((label) => !before.has(label.trim()));
  if (added.length === 0) return { text: text ?? '', added };
  const kept = (text ?? '').replace(/[\s,]+$/, '');
  return { text: `${[...(kept === '' ? [] : [kept]), ...added].join(', ')}\n`, added };
}

/** The tags without these. */
export function withoutTags(text: string, labels: readonly string[]): string {
  const gone = new Set(labels.map((label) => label.trim()));
  return `${tagsOf(text)
    .filter((tag) => !gone.has(tag))
    .join(', ')}\n`;
}

function tagsOf(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
