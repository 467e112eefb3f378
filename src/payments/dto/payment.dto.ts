import { ApiProperty } from '@nestjs/swagger';
import type { CaptureMethod, PaymentMethodType } from '../../gateways/contract/payment-gateway.js';
import type { AttemptOperation, AttemptStatus, PaymentStatus, ProcessingReason } from '../payment-state.js';
import { RefundDto } from './refund.dto.js';
import { FailureDto } from './failure.dto.js';

/** Parts of a fee, in minor units; they add up to it. */
export class FeeBreakdownDto {
  @ApiProperty({ type: 'integer' }) percent!: number;
  @ApiProperty({ type: 'integer' }) fixed!: number;
  @ApiProperty({ type: 'integer' }) tax!: number;
}

/** What the customer must do before the payment goes on. */
export class NextActionDto {
  type!: 'three_ds' | 'pay_code';
  gateway!: string;
  /** three_ds at Culqi: for the PSP's browser script, whose result goes to /authentication. */
  publicKey?: string;
  /** three_ds at MercadoPago: where `creq` is posted into a frame, or the page that the frame shows where there is none. pay_code: the voucher's page. */
  url?: string;
  creq?: string | null;
  /** pay_code: what the customer shows or types where they pay. */
  code?: string | null;
  expiresAt!: string;
}

/** How the customer pays, as far as it may be shown. */
export class PaymentMethodShownDto {
  type!: PaymentMethodType | 'saved';
  savedMethodId?: string;
  /** Of type saved. */
  initiatedBy?: 'customer' | 'merchant';
  @ApiProperty({ type: 'integer' }) installments!: number;
  brand?: string;
  last4?: string;
  bin?: string;
  funding?: 'credit' | 'debit' | 'prepaid';
  issuerCountry?: string;
}

/** One call to one PSP. Its id is the reference that the PSP sees. */
export class AttemptDto {
  id!: string;
  gateway!: string;
  operation!: AttemptOperation;
  status!: AttemptStatus;
  gatewayReference!: string | null;
  /** Normalised code of a decline or failure. */
  code!: string | null;
  pspCode!: string | null;
  @ApiProperty({ type: 'integer', nullable: true }) latencyMs!: number | null;
  createdAt!: string;
}

/** How the customer was authenticated. */
export class ThreeDsDto {
  eci!: string;
  xid!: string;
  protocolVersion!: string;
  directoryServerTransactionId!: string;
}

/** A payment. Amounts are integers in minor units. */
export class PaymentDto {
  id!: string;
  /** Grows with every change. */
  @ApiProperty({ type: 'integer' }) version!: number;
  status!: PaymentStatus;
  processingReason!: ProcessingReason | null;
  /** An operation whose end is not known yet. */
  pendingOperation!: 'capture' | 'void' | null;
  @ApiProperty({ type: 'integer' }) amount!: number;
  @ApiProperty({ type: 'integer' }) amountCaptured!: number;
  @ApiProperty({ type: 'integer' }) amountRefunded!: number;
  @ApiProperty({ type: 'integer' }) amountRefundPending!: number;
  currency!: string;
  /** Tax included. */
  @ApiProperty({ type: 'integer', nullable: true }) fee!: number | null;
  /** psp: reported by the PSP; table: worked out from the account's fees. */
  feeSource!: 'psp' | 'table' | null;
  feeBreakdown!: FeeBreakdownDto | null;
  @ApiProperty({ type: 'integer', nullable: true }) net!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) savings!: number | null;
  gateway!: string | null;
  gatewayReference!: string | null;
  authorizationCode!: string | null;
  authorizationExpiresAt!: string | null;
  reference!: string | null;
  description!: string | null;
  captureMethod!: CaptureMethod;
  nextAction!: NextActionDto | null;
  failure!: FailureDto | null;
  /** Oldest first. */
  refunds!: RefundDto[];
  paymentMethod!: PaymentMethodShownDto | null;
  attempts!: AttemptDto[];
  threeDs!: ThreeDsDto | null;
  fraudScore!: number | null;
  customer!: Record<string, unknown>;
  metadata!: Record<string, string>;
  expiresAt!: string | null;
  createdAt!: string;
  updatedAt!: string;
}

/** A page of payments, newest first. */
export class PaymentPageDto {
  data!: PaymentDto[];
  /** For `cursor`; null on the last page. */
  nextCursor!: string | null;
}

/** A line of a payment's history. */
export class TimelineEntryDto {
  at!: string;
  kind!: 'transition' | 'attempt' | 'refund' | 'webhook';
  from?: string | null;
  to?: string;
  cause!: string;
  attemptId?: string;
  detail!: string | null;
}

/** A payment's history, oldest first. */
export class TimelineDto {
  data!: TimelineEntryDto[];
}
