import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

/** What a tenant sets for itself. */
export class TenantSettingsDto {
  /** How much a key of role client refunds at once at most, in minor units of the payment's currency; without it there is no limit. */
  @ApiProperty({ type: 'integer', nullable: true, required: false })
  @IsOptional() @IsInt() @Min(0) @Max(Number.MAX_SAFE_INTEGER)
  refundLimit?: number | null;
}
