import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsObject, IsOptional, IsUrl, MaxLength, ValidateIf, ValidateNested } from 'class-validator';
import { GATEWAY_CODES } from '../../gateways/gateways.js';
import type { CaptureMethod } from '../../gateways/contract/payment-gateway.js';
import { IsCurrencyCode, IsMetadata, IsMinorAmount, IsText } from '../../platform/http/validators.js';
import { CustomerDto } from './customer.dto.js';
import { PaymentMethodDto } from './payment-method.dto.js';

export class CreatePaymentDto {
  /** In minor units: 12900 is S/ 129.00. */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, example: 12_900 })
  @IsMinorAmount()
  amount!: number;

  /**
   * ISO 4217.
   * @example 'PEN'
   */
  @IsCurrencyCode()
  currency!: string;

  /**
   * The client app's own reference.
   * @example 'ORD-20260128-001'
   */
  @IsOptional() @IsText(64)
  reference?: string;

  @IsOptional() @IsText(255)
  description?: string;

  @IsOptional() @IsIn(['automatic', 'manual'])
  captureMethod?: CaptureMethod;

  /** False: only store the payment; it is sent by POST …/confirm. */
  @IsOptional() @IsBoolean()
  confirm?: boolean;

  /** Refuse a second live payment with the same reference. */
  @IsOptional() @IsBoolean()
  uniqueReference?: boolean;

  @IsObject() @ValidateNested() @Type(() => CustomerDto)
  customer!: CustomerDto;

  @ValidateIf((body: CreatePaymentDto) => body.confirm !== false || body.paymentMethod != null)
  @IsObject() @ValidateNested() @Type(() => PaymentMethodDto)
  paymentMethod?: PaymentMethodDto;

  /** Forces one PSP. */
  @IsOptional() @IsIn(GATEWAY_CODES)
  gateway?: string;

  /** Where the customer comes back to after an authentication. */
  @IsOptional() @IsUrl({ protocols: ['https', 'http'], require_protocol: true, require_tld: false }) @MaxLength(2048)
  returnUrl?: string;

  /** Flat text, at most 50 keys of 40 characters, values of 500. */
  @IsOptional() @IsMetadata()
  metadata?: Record<string, string>;
}
