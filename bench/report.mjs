// What a person reads. The aims stand beside the figures; none of them fails a run.
import { say } from '../tools/say.mjs';

const cell = (value, width = 9) => String(value ?? '–').padStart(width);
const aim = (isMet, text) => `${isMet ? 'met' : 'MISSED'}: ${text}`;

/** Prints one scenario after another as they end. */
export const report = {
  closedLoops(results) {
    say('\nPOST /v1/payments, as fast as it goes');
    say(`  ${'at once'.padEnd(18)}${['pay/s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms', 'DB CPU ms', 'SQL'].map((head) => cell(head, 10)).join('')}`);
    for (const { concurrency, floor, service, ofFloor } of results) {
      for (const [name, side] of Object.entries({ floor, service })) {
        const figures = [side.perSecond, side.p50Ms, side.p95Ms, side.p99Ms,
          side.cpuMsPerPayment, side.databaseCpuMsPerPayment, side.statementsPerPayment];
        say(`  ${`${concurrency}  ${name}`.padEnd(18)}${figures.map((figure) => cell(figure, 10)).join('')}`);
      }
      say(`  ${''.padEnd(3)}of the floor: ${ofFloor}${concurrency === 16 ? `   ${aim(ofFloor >= 0.5, 'at least 0.5 at 16 at once')}` : ''}`);
    }
    const most = Math.max(...results.map(({ service }) => service.statementsPerPayment));
    say(`  ${aim(most <= 18, 'at most 18 round trips to the database per payment')}`);
  },
  openLoop({ perSecond, stubDelayMs, floor, service }) {
    say(`\nOverhead at ${perSecond} payments/s (latency less the ${stubDelayMs} ms of the PSP)`);
    for (const [name, { p50Ms, p99Ms, maxMs }] of Object.entries({ floor, service })) {
      say(`  ${name.padEnd(10)}p50 ${cell(p50Ms, 6)} ms   p99 ${cell(p99Ms, 6)} ms   max ${cell(maxMs, 6)} ms`);
    }
    say(`  ${aim(service.p99Ms <= 50, 'p99 at most 50 ms')}`);
  },
  replay({ concurrency, perSecond, p50Ms, p99Ms, statementsPerReplay }) {
    say(`\nThe same Idempotency-Key again, ${concurrency} at once: ${perSecond}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms, `
      + `${statementsPerReplay} round trips each`);
  },
  startUp({ readyMs, medianMs, idleMiB }, loadedMiB) {
    say(`\nFrom spawn to ready: ${medianMs} ms (${readyMs.join(', ')})   ${aim(medianMs <= 3000, 'at most 3 s')}`);
    say(`Memory: ${idleMiB} MiB idle, ${loadedMiB ?? '–'} MiB after the load`);
  },
  stalledPsp({ creates, stallMs, createsAnswered, reads, readsByPart, idleInTransaction, foundAfterMs }) {
    say(`\nA PSP that stalls for ${stallMs / 1000} s, ${creates} payments at once, ${reads.perSecond} reads/s of another`);
    say(`  creates answered (processing) after ${createsAnswered.p50Ms} ms, the last after ${createsAnswered.maxMs} ms`);
    say(`  all of them found captured ${foundAfterMs} ms after the reads ended`);
    say(`  reads      p50 ${reads.p50Ms} ms   p99 ${reads.p99Ms} ms   max ${reads.maxMs} ms   ${aim(reads.p99Ms < 100, 'p99 under 100 ms')}`);
    for (const [part, { p50Ms, p99Ms, maxMs }] of Object.entries(readsByPart)) {
      say(`    ${part.padEnd(9)}p50 ${p50Ms} ms   p99 ${p99Ms} ms   max ${maxMs} ms`);
    }
    const { samples, atOnceMax, forASecondMax } = idleInTransaction;
    say(`  transactions open with an idle connection, of ${samples} looks: at most ${forASecondMax} for a second or longer `
      + `(${atOnceMax} between two statements)   ` + aim(forASecondMax === 0, 'none'));
  },
  profile({ payments, totalMs, functions, packages }) {
    const share = (ms) => `${Math.round((ms / totalMs) * 1000) / 10} %`;
    const line = ({ name, ms }) => say(`  ${cell((ms / payments).toFixed(3), 8)} ms ${cell(share(ms), 7)}  ${name}`);
    say(`\nThe service's main thread: ${(totalMs / payments).toFixed(2)} ms awake per payment (${payments} payments; waits for a core are in it)`);
    say('By package, native code under its caller');
    packages.slice(0, 20).forEach(line);
    say('By function (self time)');
    functions.slice(0, 25).forEach(line);
  },
};
