/** The beginning of a text that is longer than it may be, with how long the whole was. Cuts no character of two halves in the middle. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const whole = `… (${text.length} characters)`;
  return text.slice(0, charsMax - whole.length).replace(/[\ud800-\udbff]$/, '') + whole;
}
