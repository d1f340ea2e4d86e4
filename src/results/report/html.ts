/** Markup that was made here. What came from outside is never of this class. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Html | string | number | undefined | false | readonly Content[];

/** Markup with values in it: all of them are text, but markup of this tag's own. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? markupOf(values[i]) : '')).join(''));
}

function markupOf(value: Content): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escaped(String(value));
}

/** Text for an element or an attribute in quotes. Control characters, which HTML does not have, are shown as such. */
function escaped(text: string): string {
  return text
    .replace(/[^\P{Cc}\n\t]|\p{Surrogate}/gu, '\u{fffd}')
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
