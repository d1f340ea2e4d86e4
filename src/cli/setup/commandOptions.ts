import { type Command, Option as Flag } from 'commander';
import { type Config, readConfig } from '../../shared/options/config.ts';
import type { Option } from '../../shared/options/option.ts';
import { type OptionName, optionGroups, options, usualOptions } from '../../shared/options/options.ts';

/** Flags that a help text shows before all others. */
const USUAL_MAX = 10;

export interface CommandSpec<K extends OptionName> {
  examples: readonly string[];
  options: readonly K[];
  /** Of these at least one must be given. */
  oneOf?: readonly NoInfer<K>[];
  /** Resolves to the exit code. */
  run: (args: string[], config: Config<K>) => Promise<number>;
}

/** Gives a command its flags, environment variables, defaults and help from the table of options, and what it does. */
export function createCommand<K extends OptionName>(spec: CommandSpec<K>): (command: Command) => void {
  return (command) => {
    const usual = usualOptions.filter((name) => spec.options.some((of) => of === name)).slice(0, USUAL_MAX);
    for (const name of usual) command.addOption(flagOf(options[name]));
    for (const { title, options: group } of optionGroups)
      for (const name of spec.options)
        if (Object.hasOwn(group, name) && !usual.includes(name))
          command.addOption(flagOf(options[name]).helpGroup(`${title}:`));
    command.addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  $ ${line}`).join('\n')}`);
    command.action(async () => {
      const config = readConfig(spec.options, command.opts(), process.env, spec.oneOf);
      process.exitCode = await spec.run(command.args, config);
    });
  };
}

function flagOf(option: Option<unknown>): Flag {
  const value = option.value === undefined ? '' : ` <${option.value}>`;
  const byDefault = option.defaultSays ?? (typeof option.default === 'string' ? option.default : undefined);
  const shown =
    byDefault === undefined || option.value === undefined ? '' : ` Default: ${byDefault.replace(/\.$/, '')}.`;
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const flag = new Flag(`${short}--${option.flag}${value}`, `${option.says}${shown} [${option.env}]`);
  if (option.repeat)
    flag.argParser((given: string, earlier: string[] | undefined) => [...(earlier ?? []), given]);
  return flag;
}
