import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second in which procfs counts CPU time; the same on every Linux. */
const TICKS = 100;

/** A process and those it started, as far as they live. Nothing but Linux says so: elsewhere none of it counts. */
function treeOf(pid: number): number[] {
  const tasks = listed(() => readdirSync(`/proc/${pid}/task`));
  const children = tasks.flatMap((task) =>
    listed(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)),
  );
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

/** Seconds of a core that a process and those it started have used, those that ended counted where they were waited for. */
export function coreSecondsOf(pid: number): number {
  return sum(treeOf(pid), (each) => {
    const stat = readFileSync(`/proc/${each}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0) / TICKS;
  });
}

/** Resident memory of a process and of those it started, MiB; pages that they share count in each. */
export function residentMiBOf(pid: number): number {
  return sum(treeOf(pid), (each) => {
    const status = readFileSync(`/proc/${each}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  });
}

function sum(pids: number[], of: (pid: number) => number): number {
  // One that ended meanwhile counts as nothing.
  return pids.reduce((total, pid) => total + (listed(() => [of(pid)])[0] ?? 0), 0);
}

function listed<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    return [];
  }
}
