// What Linux tells of a process: CPU time and memory. Elsewhere everything is null.
import fs from 'node:fs';

/** Linux has counted in hundredths of a second on every machine since 2.6 (USER_HZ). */
const TICK_MS = 10;

/** CPU time of all threads of the process so far, in ms; null when it cannot be read. */
export function cpuMs(pid) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Memory that the process holds, in MiB; null when it cannot be read. */
export function residentMiB(pid) {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '');
  return line === null ? null : Math.round(Number(line[1]) / 1024);
}

function read(file) {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return null;
  }
}
