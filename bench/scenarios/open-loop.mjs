import { latencies } from '../measure/latency.mjs';
import { pay } from '../sides.mjs';

/** A payment every 1/`perSecond`, and what each side adds to the time that the PSP takes anyway. */
export async function openLoop(bench, { perSecond, seconds, stubDelayMs }) {
  const overheadOf = async (side) => {
    await pay(bench, side, { kind: 'openLoop', perSecond, seconds: 1 });
    const seen = await pay(bench, side, { kind: 'openLoop', perSecond, seconds });
    return latencies(seen.latenciesMs.map((ms) => ms - stubDelayMs));
  };
  return { perSecond, seconds, stubDelayMs, floor: await overheadOf(bench.sides.floor), service: await overheadOf(bench.sides.service) };
}
