// The services of docker-compose.yml as processes of this machine: their own commands and variables, with names, ports and paths of here.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repository } from './fleet.ts';

export interface ComposeService {
  command: string[];
  environment: Record<string, string>;
  volumes?: string[];
  profiles?: string[];
}

interface RawService extends Omit<ComposeService, 'command'> {
  command?: string;
}

/** The services by name, with what a shell's variables would be put in for. */
export async function composeServices(
  variables: Record<string, string> = {},
): Promise<Record<string, ComposeService>> {
  const text = await readFile(join(repository, 'docker-compose.yml'), 'utf8');
  const filled = text.replace(/\$\{(\w+):-([^}]*)\}/g, (_, name, byDefault) => variables[name] ?? byDefault);
  const { services } = parse(filled, { merge: true }) as { services: Record<string, RawService> };
  return Object.fromEntries(
    Object.entries(services).map(([name, { command = '', environment = {}, ...others }]) => {
      const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
      return [name, { ...others, command: words, environment }];
    }),
  );
}

/** A word of a command or a variable, with the addresses and folders of a container exchanged for those of here. */
export function placedHere(word: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((text, [there, here]) => text.replaceAll(there, here), word);
}
