import { ApiProperty } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { IsMinorAmount } from '../../platform/http/validators.js';

/** How much of the reserved money is taken. */
export class CapturePaymentDto {
  /** In minor units; all of it unless said. What is left is released. */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, required: false })
  @IsOptional() @IsMinorAmount()
  amount?: number;
}
