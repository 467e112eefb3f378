import type { ZodType } from 'zod';
import type { Currency } from '../../shared/currency.js';
import type { CaptureMethod, Customer, GatewayContext, PaymentGateway, PaymentMethodType, PaymentOrder } from './payment-gateway.js';

/** Everything the service knows of a PSP without calling it: the front page of its folder. */
export type GatewayDefinition<Credentials extends Record<string, string | undefined> = Record<string, string | undefined>> = {
  /** The name in the API, in lower case: `culqi`. */
  code: string;
  displayName: string;
  profile: GatewayProfile;
  /** Checks what a tenant gives; its keys are the names of the API. */
  credentials: ZodType<Credentials>;
  /** Checks how a tenant wants this PSP to be used; none where there is nothing to choose. */
  settings?: ZodType<Record<string, unknown>>;
  /** Why settings cannot follow those of the version before; null when they can. */
  refusesSettings?(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): { field: string; message: string } | null;
  /** Credentials that a browser may see; all others are masked in every answer. */
  publicCredentials: readonly (keyof Credentials & string)[];
  /** The environment the keys are made for, where they tell. */
  environmentOf?(credentials: Credentials): 'sandbox' | 'production' | 'contradictory' | undefined;
  /**
   * Base addresses: a name of the adapter's own → the environment variable that holds it (`…_API_URL`), and where it leads without one; config/ knows the
   * defaults of the PSPs that the contract names.
   */
  hosts: Readonly<Record<string, string | { variable: string; url: string }>>;
  /** What this PSP needs and the order lacks: fields by their names in the API. Empty when nothing. */
  missingFields(order: OrderOutline): { field: string; message: string }[];
  /** What this PSP must know of a customer before it keeps a card for them. */
  missingToSave?(customer: Customer): { field: string; message: string }[];
  create(context: GatewayContext<Credentials>): PaymentGateway;
};

/** What is known of an order before a PSP is chosen. */
export type OrderOutline = Pick<PaymentOrder, 'amount' | 'capture' | 'description' | 'customer'> & { method: Pick<PaymentOrder['method'], 'type' | 'installments' | 'options' | 'isSaved' | 'isMerchantInitiated'> };

/** Facts about a PSP that are not methods. Each number's source stands in the folder's README. */
export type GatewayProfile = {
  methods: readonly PaymentMethodType[];
  captureMethods: readonly CaptureMethod[];
  /** Smallest and largest amount, in minor units, of each currency it takes. */
  limits: Partial<Record<Currency, { minMinor: bigint; maxMinor: bigint }>>;
  installmentsMax: number;
  /** Whether less than what was authorised can be captured. */
  capturesPartially: boolean;
  /** Whether a repeat of a call with the same outgoing key is answered with the first call's result. */
  honoursIdempotencyKey: boolean;
  /** Whether a lost refund can be told from others of the same payment; else only one of them is on its way at a time. */
  tellsRefundsApart: boolean;
  /** Whether answers about money show our reference; if so, one without it is a mismatch. */
  echoesOurReference: boolean;
  /** How long after a call the PSP's look-ups may still not show it, in milliseconds. */
  lookupLagMs: number;
  /** How long a token can be charged, in milliseconds: for that long a call that was delayed on its way may still happen. */
  tokenLifetimeMs: number;
  /** How long authorised money stays reserved, in milliseconds; then the PSP releases it, or captures it by itself. Null where nothing can be captured later. */
  authorizationLifetimeMs: number | null;
};
