import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { PAYMENT_METHOD_TYPES } from '../../gateways/contract/payment-gateway.js';
import { IsFeeRate, IsMinorAmount } from '../../platform/http/validators.js';
import { CURRENCIES, type Currency } from '../../shared/currency.js';

/** A fixed part of a fee, in a currency of its own. */
export class FixedFeeDto {
  @ApiProperty({ type: 'integer' })
  @IsMinorAmount()
  amount!: number;

  @ApiProperty({ enum: CURRENCIES })
  @IsIn(CURRENCIES)
  currency!: Currency;

  /** What one major unit of it costs in the payments' currency: a decimal, as text or as a number. */
  @ApiProperty({ oneOf: [{ type: 'string' }, { type: 'number' }], required: false })
  @IsOptional() @IsFeeRate()
  rate?: string | number;
}

/** What a provider takes of payments in one currency. */
export class FeeRuleDto {
  @ApiProperty({ enum: CURRENCIES })
  @IsIn(CURRENCIES)
  currency!: Currency;

  /** Of payments with this method alone; without it, of all. */
  @IsOptional() @IsIn(PAYMENT_METHOD_TYPES)
  method?: string;

  /** Basis points of the amount: 150 is 1.5 %. */
  @ApiProperty({ type: 'integer' })
  @IsInt() @Min(0) @Max(10_000)
  percentBps!: number;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => FixedFeeDto)
  fixed?: FixedFeeDto;

  /** Basis points of both. */
  @ApiProperty({ type: 'integer', required: false })
  @IsOptional() @IsInt() @Min(0) @Max(10_000)
  taxBps?: number;
}
