import type { GatewayProfile } from '../gateways/contract/gateway-definition.js';
import { carriesMoney, effectOf, type Effect } from './apply-effect.js';
import type { Observed } from './observed.js';
import type { Attempt, PaymentRecord } from './payment.js';
import { refundEffectOf } from './refund-effect.js';
import { REFUND_TRIES_MAX, triesOf } from './refund-queue.js';

/** Works out what an observation of one attempt does to its payment, seen beside the payment's other attempts and refunds. Pure. */
export function effectOn({ payment, attempts, refunds }: PaymentRecord, { observed, attempt }: { observed: Observed; attempt: Attempt }, profile: GatewayProfile): Effect {
  if (attempt.operation !== 'refund') {
    const effect = effectOf(payment, attempt, observed, profile, askedBy(attempts, attempt));
    // The payment went on with a second step: what the first still tells is its own affair, unless money moved.
    const isSuperseded = attempt.operation === 'authorize' && attempts.findLast(({ operation }) => operation === 'authorize')?.id !== attempt.id;
    return isSuperseded && !carriesMoney(observed) ? { ...effect, payment } : effect;
  }
  const refund = refunds.find(({ id }) => id === attempt.refundId);
  if (refund === undefined) throw new Error(`attempt ${attempt.id} asks for no refund of ours`);
  return refundEffectOf(payment, attempt, refund, observed, triesOf({ attempts }, refund) < REFUND_TRIES_MAX);
}

/** The attempt that made the payment at the PSP, which this one is about. */
function askedBy(attempts: readonly Attempt[], attempt: Attempt): Attempt {
  if (attempt.operation === 'authorize') return attempt;
  const asked = attempts.find(({ operation, gatewayReference }) => operation === 'authorize' && gatewayReference === attempt.gatewayReference);
  if (asked === undefined) throw new Error(`attempt ${attempt.id} is about no payment of ours`);
  return asked;
}
