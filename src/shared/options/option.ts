import { z } from 'zod';

/**
 * One setting: its flag, its environment variable, its unit, bounds and default, and a sentence. Help texts, the
 * reading of flags and environment, and docs/configuration.md are all made from this table.
 */
export interface Option<T> {
  flag: string;
  /** One letter that stands for the flag. */
  short?: string;
  env: string;
  /** What stands for the value in help texts; absent for a switch. */
  value?: string;
  schema: z.ZodType<T>;
  /** Text of the default, as the user would type it; a function where the machine decides. */
  default?: string | ((env: NodeJS.ProcessEnv) => string);
  /** How the default is written in the documentation where the machine decides. */
  defaultSays?: string;
  repeat?: true;
  /** Its value may hold a password: no message shows it. */
  secret?: true;
  says: string;
}

/** Infers the type of the value from the schema. */
export const option = <T>(definition: Option<T>) => definition;

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'Expected a whole number')
    .transform(Number)
    .pipe(z.int().min(min, `Expected at least ${min}`).max(max, `Expected at most ${max}`));

export const real = (min: number, max: number) =>
  z
    .string()
    .regex(/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i, 'Expected a number')
    .transform(Number)
    .pipe(z.number().min(min, `Expected at least ${min}`).max(max, `Expected at most ${max}`));

/** Schemas of what is typed; their messages are read by the user. */
export const text = z.string().min(1, 'Expected a text that is not empty');
export const list = z.array(text);
export const choice = <const T extends string>(...values: T[]) =>
  z.enum(values, { error: `Expected one of ${values.join(', ')}` });
export const onOff = z.boolean({ error: 'Expected true or false' });
