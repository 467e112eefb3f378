// What the tools print: one line per step, and a sign of life while a long one lasts.

/** Trouble that its reader can mend: printed as one line, without a stack. */
export class Trouble extends Error {}

/** Prints one line. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Runs one step: says what begins, every ten seconds that it lasts, and how long it took when that was more than two. */
export async function step(title, work) {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  say(`- ${title} …`);
  const pulse = setInterval(() => say(`  … ${seconds()} s`), 10_000);
  try {
    const result = await work();
    if (seconds() >= 2) say(`  done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(pulse);
  }
}

/** Ends the process for a failure: one line for trouble, the stack for a mistake of ours. */
export function explain(error) {
  process.stderr.write(error instanceof Trouble ? `${error.message}\n` : `${error?.stack ?? error}\n`);
}
