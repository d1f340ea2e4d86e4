import { spawn } from 'node:child_process';
import type { RedisPlace } from './redisPlace.ts';

/** The keeper found another server on the data, or lost a race: look again. */
const busyCode = 75;

/**
 * The keeper starts the server, sleeps until nobody holds a lease, and stops the server. The kernel does the counting,
 * so it is right however a command ends:
 *
 * - `lock` (fd 9, beside the data) is held by the server's process alone: one server for one data folder, and free the
 *   moment it is gone. `flock` is util-linux; macOS has the same call in Perl (6 is LOCK_EX | LOCK_NB).
 * - `lease` is a FIFO that every command holds open for writing. Reading it (fd 7) ends when the last one is gone. The
 *   keeper itself holds it open (fd 8) until its starter has, or until the starter's end closes standard input.
 * - Standard output goes to the server alone, so its end tells the starter that the server is gone.
 *
 * At the end the lease is unlinked first and read once more: who opened it between the two is still served, and who
 * comes later finds none and starts anew. Where the kernel can (Linux), a killed keeper takes its server with it.
 */
const script = String.raw`
server=$1 data=$2 runtime=$3
exec 2>&1
umask 077
lock() {
  if command -v flock >/dev/null; then flock -n $1; else perl -e 'open my $f, ">&=", shift; exit !flock $f, 6' $1; fi
}
until_free() { while read -r _; do :; done <&7; }
inode() { ls -i lease 2>/dev/null; }

exec 9>>"$data/lock" 6>>"$data/lock"
lock 9 || exit ${busyCode}
mkdir -p "$runtime" && cd "$runtime" && rm -f lease && mkfifo lease || exit 1
exec 8<>lease 7<lease
mine=$(inode)
[ ! -f "$data/redis.log" ] || mv -f "$data/redis.log" "$data/redis.log.old"
leash=
setpriv --pdeathsig TERM true 2>/dev/null && leash='setpriv --pdeathsig TERM'
$leash "$server" --port 0 --unixsocket "$runtime/redis.sock" --unixsocketperm 700 --daemonize no \
  --dir "$data" --logfile "$data/redis.log" --save '' --maxmemory-policy noeviction \
  --appendonly yes --appendfsync everysec --aof-load-truncated yes </dev/null 6>&- 7<&- 8<&- &
server_pid=$!
exec 9>&- >/dev/null 2>&1

read -r _
exec 8<&-
until_free
if [ "$(inode)" = "$mine" ]; then rm -f lease; until_free; fi
kill -TERM $server_pid
wait $server_pid
# Under the lock again, unless the next keeper is at work already.
lock 6 && rm -f redis.sock && cd / && rmdir "$runtime"
exit 1
`;

/** A keeper as its starter sees it. */
export interface Keeper {
  /** `busy`: another server is on the data. `failed`: the server that it started is gone again. */
  state(): 'starting' | 'busy' | 'failed';
  /** What keeper and server wrote outside the log. */
  output(): string;
  /** The starter has its lease, or wants none: the keeper needs to wait for it no longer. */
  letGo(): void;
}

const outputCharactersMax = 4096;

/** Starts a keeper in a session of its own, where a terminal's Ctrl-C does not reach it. */
export function startKeeper(binary: string, place: RedisPlace): Keeper {
  const child = spawn('/bin/sh', ['-c', script, 'clipfleet-redis', binary, place.data, place.runtime], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let state: ReturnType<Keeper['state']> = 'starting';
  let output = '';
  const letGo = () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.unref();
  };
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk) => {
    output = (output + chunk).slice(-outputCharactersMax);
  });
  // The server is gone, or never was: only the keeper's exit code says which.
  child.stdout.once('end', () => child.stdin.destroy());
  child.once('error', (error) => {
    output += error.message;
    state = 'failed';
  });
  child.once('exit', (code) => {
    state = code === busyCode ? 'busy' : 'failed';
  });
  return { state: () => state, output: () => output, letGo };
}
