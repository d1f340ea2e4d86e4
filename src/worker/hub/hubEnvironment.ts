import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { homeOf } from '../../shared/files/userFolders.ts';

export interface HubEnvironment {
  /** The folder that holds `models--owner--repo`, absolute. */
  cacheDir: string;
  token?: string;
  offline: boolean;
  /** Without a slash at its end. */
  endpoint: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the environment says about the Hub, read by the rules of Python's `huggingface_hub` (its `constants.py` and
 * `utils/_auth.py`), so that both programs share one cache and one login. One difference on purpose: a variable that
 * is set but empty counts as unset, where Python would put the cache into the current directory.
 */
export function hubEnvironment(env: Environment): HubEnvironment {
  const home = expand(env.HF_HOME || join(env.XDG_CACHE_HOME || '~/.cache', 'huggingface'), env);
  const cacheDir = expand(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub'), env);
  const token = isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN) ? undefined : findToken(env, home);
  return {
    cacheDir: resolve(cacheDir),
    ...(token === undefined ? {} : { token }),
    offline: isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
  };
}

function findToken(env: Environment, home: string): string | undefined {
  const named = cleanToken(env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN);
  if (named !== undefined) return named;
  try {
    return cleanToken(readFileSync(expand(env.HF_TOKEN_PATH || join(home, 'token'), env), 'utf8'));
  } catch {
    return undefined; // Nobody has logged in on this machine.
  }
}

function cleanToken(token: string | undefined): string | undefined {
  return token?.replace(/[\r\n]/g, '').trim() || undefined;
}

function isTrue(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes(value?.toUpperCase() ?? '');
}

/** `~` and `$NAME` or `${NAME}` as a shell would; an unknown variable stays as it is written, as in Python. */
function expand(path: string, env: Environment): string {
  const fromHome = path.replace(/^~(?=$|[/\\])/, () => homeOf(env));
  return fromHome.replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, bare?: string, braced?: string) => {
    return env[bare ?? braced ?? ''] ?? whole;
  });
}
