import type { z } from 'zod';
import { ClipfleetError } from '../errors.ts';
import type { Option } from './option.ts';
import { type OptionName, options } from './options.ts';

/** The settings of the names asked for, checked. */
export type Config<K extends OptionName> = { [P in K]: z.infer<(typeof options)[P]['schema']> };

/**
 * Settings from flags (by option name, as texts, lists of texts or booleans), then the environment, then defaults.
 *
 * @param oneOf of these at least one must be given
 * @throws USAGE with every fault of every setting, not only the first.
 */
export function readConfig<K extends OptionName>(
  names: readonly K[],
  flags: Record<string, unknown>,
  env: NodeJS.ProcessEnv,
  oneOf: readonly K[] = [],
): Config<K> {
  const faults: string[] = [];
  const config: Record<string, unknown> = {};
  for (const name of names) {
    const option: Option<unknown> = options[name];
    const { given, from } = givenValue(option, flags[name], env);
    const parsed = option.schema.safeParse(given);
    if (parsed.success) config[name] = parsed.data;
    else faults.push(`${from}: ${parsed.error.issues[0]?.message}, got ${shown(option, given)}.`);
  }
  if (oneOf.length > 0 && oneOf.every((name) => config[name] === undefined)) {
    faults.push(`Expected ${oneOf.map((name) => `--${options[name].flag}`).join(' or ')}.`);
  }
  if (faults.length > 0) throw new ClipfleetError('USAGE', faults.join('\n'));
  return config as Config<K>;
}

/** What a setting is when nobody says: for the parts that are used without a command line. */
export function defaultOf<K extends OptionName>(name: K): Config<K>[K] {
  return readConfig([name], {}, {})[name];
}

function givenValue(option: Option<unknown>, flag: unknown, env: NodeJS.ProcessEnv) {
  if (flag !== undefined) return { given: flag, from: `--${option.flag}` };
  const variable = env[option.env];
  if (variable !== undefined && variable !== '')
    return { given: fromText(option, variable), from: option.env };
  const byDefault = typeof option.default === 'function' ? option.default(env) : option.default;
  return {
    given: byDefault === undefined ? undefined : fromText(option, byDefault),
    from: `--${option.flag}`,
  };
}

/** Switches are `true` or `false`, `1` or `0`; a list has one value a line. */
function fromText(option: Option<unknown>, value: string): unknown {
  if (option.repeat) return value.split('\n').filter((line) => line !== '');
  if (option.value !== undefined) return value;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  return value;
}

/** The value for a message that ends up in logs. What may hold a password is not shown: nobody can tell where in it. */
function shown(option: Option<unknown>, given: unknown): string {
  if (option.secret && given !== undefined) return 'another text';
  return JSON.stringify(given) ?? 'nothing';
}
