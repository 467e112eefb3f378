import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { FeeRuleDto } from './fee-rule.dto.js';

export class PutGatewayAccountDto {
  /** The keys the PSP gave; their names depend on the PSP. */
  @IsObject()
  credentials!: Record<string, unknown>;

  /** Whether new payments may use the account. Look-ups and refunds of old ones always may. */
  @IsBoolean()
  enabled!: boolean;

  @IsIn(['sandbox', 'production'])
  environment!: 'sandbox' | 'production';

  /** What the PSP charges, where it does not report it itself. */
  @IsOptional() @IsArray() @ArrayMaxSize(100) @ValidateNested({ each: true }) @Type(() => FeeRuleDto)
  fees?: FeeRuleDto[];

  /**
   * How the PSP is to be used; the names depend on the PSP. MercadoPago: `api`, `payments` (the default) or `orders`.
   * @example { "api": "orders" }
   */
  @IsOptional() @IsObject()
  settings?: Record<string, unknown>;
}
