// The programs of `dist/src` as children of `npm run up`: their logs, their readiness, and what is said when one dies.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './processes.mjs';
import { node, ROOT } from './project.mjs';
import { Trouble } from './say.mjs';

/** Starts our programs with one environment; `onDeath` hears of a death that nobody waits for. */
export class Programs {
  constructor(logFolder, environment, onDeath) {
    fs.mkdirSync(logFolder, { recursive: true });
    this.logFolder = logFolder;
    this.environment = { ...process.env, ...environment };
    this.onDeath = onDeath;
  }

  /** Runs a program to its end. */
  async run(name, file) {
    const { code, signal } = await this.start(name, file).exited;
    if (code !== 0) throw this.trouble(name, signal ?? `exit ${code}`);
  }

  /** Starts a program that is meant to stay, and waits until `readyUrl` answers 200 (without one: until it has lived for a second). */
  async keepRunning(name, file, readyUrl) {
    const child = this.start(name, file);
    let death;
    void child.exited.then(({ code, signal }) => {
      death = this.trouble(name, signal ?? `exit ${code}`);
      this.onDeath(death);
    });
    const patienceMs = readyUrl ? 60_000 : 1000;
    for (const endMs = Date.now() + patienceMs; !death && Date.now() < endMs; await sleep(50)) {
      if (readyUrl && (await answersOk(readyUrl))) return;
    }
    if (death) throw death;
    if (readyUrl) throw new Trouble(`${name} was not ready within ${patienceMs / 1000} s: ${readyUrl} does not answer 200; see ${this.logOf(name)}`);
  }

  start(name, file) {
    const log = path.join(this.logFolder, `${name}.log`);
    if (fs.existsSync(log)) fs.renameSync(log, `${log}.1`);
    const output = fs.openSync(log, 'w', 0o600);
    const child = start(node(), ['--enable-source-maps', path.join('dist', 'src', file)], { cwd: ROOT, env: this.environment, stdio: ['ignore', output, output] });
    fs.closeSync(output);
    return child;
  }

  trouble(name, how) {
    const lines = fs.readFileSync(path.join(this.logFolder, `${name}.log`), 'utf8').trim().split('\n').filter(Boolean);
    const isPlain = lines.length > 0 && lines.length <= 5 && lines.every((line) => !/^(\{|\s+at )/.test(line));
    if (isPlain) return new Trouble(lines.map((line) => `${name}: ${line}`).join('\n')); // it said what is wrong in words meant for people
    return new Trouble(`${name} died (${how}); the last lines of ${this.logOf(name)}:\n${lines.slice(-15).join('\n')}`);
  }

  logOf(name) {
    return path.relative(ROOT, path.join(this.logFolder, `${name}.log`));
  }
}

async function answersOk(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false; // not listening yet
  }
}
