import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The wall clock of a process, wrong by as much as one says, at any moment. Its monotonic clock is right, as in life. */
export type WrongClock = {
  /** What the process is started with. */
  environment: { NODE_OPTIONS: string };
  /** From now on it is wrong by so much. */
  set(shiftMs: number): void;
};

/** A clock whose shift stands in a file of `folder`, which the process reads each time that it asks what time it is. */
export function wrongClock(folder: string, name: string, shiftMs: number): WrongClock {
  const file = join(folder, `${name}.shift`);
  const script = `import{readFileSync}from'node:fs';const Real=Date;const now=()=>Real.now()+Number(readFileSync(${JSON.stringify(file)},'utf8'));`
    + 'globalThis.Date=class extends Real{constructor(...a){a.length===0?super(now()):super(...a)}static now(){return now()}};';
  const set = (newShiftMs: number): void => {
    // In one go: nobody reads half a number.
    writeFileSync(`${file}.new`, String(newShiftMs));
    renameSync(`${file}.new`, file);
  };
  set(shiftMs);
  return { environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` }, set };
}
