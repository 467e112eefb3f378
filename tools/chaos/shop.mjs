// A merchant of the run with accounts at all PSPs, and a client of theirs that insists. Each has its own accounts at the emulators, so that a fault meets the
// request that it was drawn for.
import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const INSIST_MS = 60_000;
/** How often something is read until it is clear that it cannot be, or is not there. */
const READS_MAX = 150;
const MISSED_MAX = 30;
const CARDS = { visa: '4111111111111111', mercadopago: '4009175332806176', challenged: '5483928164574623' };

/** Makes a merchant. `orders`: whether its MercadoPago account makes orders. */
export async function openShop(world, suffix, { orders }) {
  const admin = async (method, at, body) => {
    const response = await fetch(`${world.services[0]}/v1/admin/tenants${at}`, { method, headers: { authorization: `Bearer ${world.secrets.platformAdminKey}`, 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const { id } = await admin('POST', '', { name: `Shop ${suffix}`, country: 'PE', defaultCurrency: 'PEN', email: 'shop@example.com' });
  const accounts = {
    culqi: { publicKey: `pk_test_${suffix}`, secretKey: `sk_test_${suffix}` }, pixelpay: { apiKey: `pk_test_${suffix}`, publicKey: `pub_test_${suffix}`, webhookSecret: `whsec_${suffix}` },
    mercadopago: { accessToken: `APP_USR-sec-${suffix}`, publicKey: `APP_USR-pub-${suffix}`, webhookSecret: `whsec-${suffix}` },
  };
  for (const [gateway, credentials] of Object.entries(accounts)) {
    await admin('PUT', `/${id}/gateway-accounts/${gateway}`, { credentials, enabled: true, environment: 'sandbox', ...(gateway === 'mercadopago' && orders ? { settings: { api: 'orders' } } : {}) });
  }
  const keyFor = async (role) => (await admin('POST', `/${id}/api-keys`, { name: role, role })).key;
  const shop = new Shop(world, { tenantId: id, suffix, orders, client: await keyFor('client'), operator: await keyFor('operator') });
  world.canaries.push(accounts.culqi.secretKey, accounts.pixelpay.webhookSecret, accounts.mercadopago.accessToken, accounts.mercadopago.webhookSecret, shop.client, shop.operator);
  return shop;
}

/** A story ends early: what a client wanted to know it never learnt, which is noted, or the run is over. */
export class StoryOver extends Error {}

class Shop {
  /** Every answer that a client got: what was said once must stay true. `{ operation, key, at, method, body, status, text, answer }` of a request, `{ seen }` of a reading. */
  heard = [];

  constructor(world, facts) {
    Object.assign(this, facts);
    this.world = world;
  }

  /** Asks an emulator to do what a test may ask of it. */
  control(gateway, method, at, body) {
    return this.world.emulators[gateway].ask(method, at, body);
  }

  /** How the webhooks of this shop go, and to which instance. */
  listen(gateway, plan, service) {
    return this.world.emulators[gateway].plan(this.suffix, { url: `${this.world.services[service]}/webhooks/${gateway}/${this.tenantId}`, ...plan });
  }

  /** A token, minted as the customer's browser would. */
  async mint(gateway, outcome) {
    const at = this.world.urls[gateway];
    const post = (path, body, headers = {}) => this.world.emulators[gateway].whenUp(async () => (await fetch(`${at}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) })).json());
    const number = outcome === 'challenged' ? CARDS.challenged : gateway === 'mercadopago' ? CARDS.mercadopago : outcome === 'declined' ? (gateway === 'culqi' ? '4000040000000008' : '4000000000000002') : CARDS.visa;
    const token = gateway === 'culqi' ? (await post('/v2/tokens', { card_number: number, cvv: number === CARDS.visa ? '123' : '295', expiration_month: '12', expiration_year: '2030', email: 'ana@ejemplo.pe' }, { authorization: `Bearer pk_test_${this.suffix}` })).id
      : gateway === 'pixelpay' ? (await post('/v2/tokens', { public_key: `pub_test_${this.suffix}`, card_number: number, cvv: '123', expiry_month: 12, expiry_year: 2030 })).card_token
        : (await post(`/v1/card_tokens?public_key=APP_USR-pub-${this.suffix}`, { card_number: number, security_code: '123', expiration_month: 11, expiration_year: 2030, cardholder: { name: outcome === 'declined' ? 'FUND' : outcome === 'reviewed' ? 'CONT' : 'APRO' } })).id;
    this.world.canaries.push(token);
    return token;
  }

  /** One request, once. Null when no answer came. */
  async ask(method, at, { body, key, as = this.client, service = 0 } = {}) {
    const beganMs = Date.now();
    const headers = { authorization: `Bearer ${as}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(key ? { 'idempotency-key': key } : {}) };
    const note = (isLost) => { if (this.world.wasQuiet(beganMs, Date.now())) this.world.waits.push({ ms: Date.now() - beganMs, isLost, what: `${method} ${at}`, paymentId: paymentIn(at) }); };
    try {
      const response = await fetch(`${this.world.services[service]}${at}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }), signal: AbortSignal.timeout(8_000) });
      const text = await response.text();
      note(false);
      return { status: response.status, text, body: text ? JSON.parse(text) : null, replayed: response.headers.get('idempotent-replayed') === 'true' };
    } catch {
      // Nobody struck, and no answer came: that is for the invariants, too.
      note(true);
      return null;
    }
  }

  /**
   * The same bytes under the same key, to either instance, until there is a final answer. `retries`: a source of randomness of its own, so that what is drawn
   * elsewhere does not hang on how often it took. `beforeFirst` is told which instance is asked first. `isTwice`: both are asked at once, by two who insist.
   * @throws StoryOver when there never is one
   */
  async insist(operation, method, at, { body, retries, beforeFirst = () => undefined, isTwice = false }) {
    const key = crypto.randomUUID();
    const first = retries.whole(0, 2);
    await beforeFirst(first);
    const ends = await Promise.allSettled((isTwice ? [first, 1 - first] : [first]).map((service) => this.askUntilFinal(operation, method, at, { body, key, retries, service })));
    const lost = ends.find(({ status }) => status === 'rejected');
    if (lost) throw lost.reason;
    return ends[0].value;
  }

  async askUntilFinal(operation, method, at, { body, key, retries, service: first }) {
    const answers = [];
    let service = first;
    for (const endMs = Date.now() + INSIST_MS; Date.now() < endMs && !this.world.isOver; service = 1 - service) {
      const answer = await this.ask(method, at, { body, key, service });
      answers.push(answer === null ? 'nothing' : `${answer.status} ${answer.body?.code ?? ''}`.trim());
      const isFinal = answer && answer.status < 500 && answer.status !== 429 && !(answer.status === 409 && ['idempotency_key_in_use', 'operation_in_progress'].includes(answer.body?.code));
      if (isFinal) {
        this.heard.push({ operation, key, at, method, body, status: answer.status, text: answer.text, answer: answer.body });
        return { ...answer, key };
      }
      await sleep(retries.whole(50, 300));
    }
    if (!this.world.isOver) this.world.unanswered.push({ key, paymentId: paymentIn(at), what: `${method} ${at} under ${key}: no final answer within ${INSIST_MS} ms, but ${answers.slice(-5).join(', ')}` });
    throw new StoryOver(`${method} ${at} had no final answer`);
  }

  /** @throws StoryOver when it cannot be read */
  async read(id) {
    let missed = 0;
    for (let i = 0; i < READS_MAX && missed < MISSED_MAX && !this.world.isOver; i += 1) {
      const answer = await this.ask('GET', `/v1/payments/${id}`, { service: i % 2 });
      if (answer?.status === 200) {
        this.heard.push({ seen: answer.body });
        return answer.body;
      }
      if (answer?.status === 404) missed += 1;
      await sleep(100);
    }
    if (!this.world.isOver) this.world.unreadable.push({ paymentId: id, what: `${id} could not be read: ${missed >= MISSED_MAX ? 'it is not there' : `no answer in ${READS_MAX} tries`}` });
    throw new StoryOver(`${id} cannot be read`);
  }
}

/** The payment that an address names. */
export function paymentIn(at) {
  return /\bpay_[0-9A-Za-z]+/.exec(at)?.[0];
}
