import { ApiProperty } from '@nestjs/swagger';
import type { RefundReason } from '../../gateways/contract/payment-gateway.js';
import type { RefundOrigin, RefundStatus } from '../refund.js';
import { FailureDto } from './failure.dto.js';

/** Money of a payment that is given back. Amounts are integers in minor units. */
export class RefundDto {
  id!: string;
  /** Grows with every change. */
  @ApiProperty({ type: 'integer' }) version!: number;
  paymentId!: string;
  @ApiProperty({ type: 'integer' }) amount!: number;
  currency!: string;
  /** submitted: on its way, waiting for another refund, or not heard of yet. */
  status!: RefundStatus;
  /** gateway: done in the PSP's panel. */
  origin!: RefundOrigin;
  reason!: RefundReason | null;
  failure!: FailureDto | null;
  gatewayReference!: string | null;
  createdAt!: string;
  updatedAt!: string;
}

/** A page of refunds, newest first. */
export class RefundPageDto {
  data!: RefundDto[];
  /** For `cursor`; null on the last page. */
  nextCursor!: string | null;
}
