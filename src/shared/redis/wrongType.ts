/** Whether Redis refused a command because somebody else put something of another type under the key. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}
