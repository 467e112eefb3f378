import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional } from 'class-validator';
import { REFUND_REASONS, type RefundReason } from '../../gateways/contract/payment-gateway.js';
import { IsMinorAmount } from '../../platform/http/validators.js';

/** How much of a payment is given back, and why. */
export class CreateRefundDto {
  /** In minor units; all that is left of the payment unless said. */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, required: false })
  @IsOptional() @IsMinorAmount()
  amount?: number;

  @IsOptional() @IsIn(REFUND_REASONS)
  reason?: RefundReason;

  /** Also where it leaves a credit account below zero. Needs a key of role operator. */
  @IsOptional() @IsBoolean()
  allowNegative?: boolean;
}
