import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { validate } from 'dockerfile-utils';

type Instruction = { word: string; argument: string; line: number };

/** The instructions of a Dockerfile, comments left out and continued lines joined. */
function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = [];
  let open: Instruction | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(raw)) continue;
    const line = raw.replace(/\\\s*$/, '').trim();
    if (open === undefined) {
      const [, word = '', argument = ''] = /^(\w+)\s*(.*)$/.exec(line) ?? [];
      open = { word: word.toUpperCase(), argument, line: index + 1 };
    } else open.argument += ` ${line}`;
    if (/\\\s*$/.test(raw)) continue;
    found.push(open);
    open = undefined;
  }
  return found;
}

/** What is wrong with a Dockerfile: its syntax (dockerfile-utils), and the rules of hadolint that matter here (their numbers from its wiki). `root` is the build context. */
export function dockerfileFaults(text: string, root: string): string[] {
  const faults = validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${typeof message === 'string' ? message : message.value}`);
  const instructions = instructionsOf(text);
  const fault = ({ line }: Instruction, what: string): void => { faults.push(`line ${line}: ${what}`); };
  const stages = instructions.filter(({ word }) => word === 'FROM');
  const names = stages.map(({ argument }) => / as (\S+)$/i.exec(argument)?.[1]);
  const lastStage = instructions.slice(instructions.lastIndexOf(stages.at(-1)!));

  for (const stage of stages) {
    const image = stage.argument.split(' ')[0] ?? '';
    if (!names.includes(image) && !/:[^:/]+$|@sha256:/.test(image)) fault(stage, 'an image without a tag (DL3006)');
    if (image.endsWith(':latest')) fault(stage, 'the tag latest (DL3007)');
  }
  for (const instruction of instructions) {
    const { word, argument } = instruction;
    if (word === 'ADD') fault(instruction, 'ADD where COPY would do (DL3020)');
    if (word === 'WORKDIR' && !/^["']?(\/|\$)/.test(argument)) fault(instruction, 'a relative WORKDIR (DL3000)');
    if ((word === 'CMD' || word === 'ENTRYPOINT') && !argument.startsWith('[')) fault(instruction, `${word} as a shell's line gets no signals (DL3025)`);
    if ((word === 'ENV' || word === 'ARG') && /(PASSWORD|SECRET|TOKEN|API_?KEY|ADMIN_KEY|ENCRYPTION_KEYS)\b/i.test(argument)) fault(instruction, 'a secret in the image');
    if (word === 'RUN' && /\bsudo\b/.test(argument)) fault(instruction, 'sudo (DL3004)');
    if (word === 'RUN' && /apt-get install/.test(argument) && !(/ -y/.test(argument) && argument.includes('--no-install-recommends') && argument.includes('rm -rf /var/lib/apt/lists'))) {
      fault(instruction, 'apt-get install without -y, --no-install-recommends or its lists removed (DL3014, DL3015, DL3009)');
    }
    if (word === 'RUN' && /\bnpm (i|install)\b/.test(argument)) fault(instruction, 'npm install takes what it likes; npm ci takes the lock (DL3016)');
    if (word === 'COPY') {
      const from = /--from=(\S+)/.exec(argument)?.[1];
      if (from !== undefined && !names.includes(from)) fault(instruction, `no stage is called ${from} (DL3022)`);
      const sources = argument.split(/\s+/).filter((part) => !part.startsWith('--')).slice(0, -1);
      if (from === undefined) for (const source of sources) if (!existsSync(resolve(root, source))) fault(instruction, `${source} does not exist`);
    }
  }
  const user = lastStage.findLast(({ word }) => word === 'USER');
  if (user === undefined || /^(root|0)\b/.test(user.argument)) faults.push('the last stage runs as root (DL3002)');
  if (!lastStage.some(({ word }) => word === 'HEALTHCHECK')) faults.push('the last stage has no HEALTHCHECK');
  const copied = lastStage.filter(({ word, argument }) => word === 'COPY' && argument.includes('node_modules'));
  for (const copy of copied) {
    const from = /--from=(\S+)/.exec(copy.argument)?.[1];
    const begin = stages.findIndex(({ argument }) => argument.endsWith(` ${from}`));
    const stage = instructions.slice(instructions.indexOf(stages[begin]!), stages[begin + 1] === undefined ? undefined : instructions.indexOf(stages[begin + 1]!));
    if (!stage.some(({ word, argument }) => word === 'RUN' && argument.includes('--omit=dev'))) fault(copy, 'packages for development in the image');
  }
  return faults;
}
