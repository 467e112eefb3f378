import { IsBoolean, IsIn, IsObject } from 'class-validator';

export class PutGatewayAccountDto {
  /** The keys the PSP gave; their names depend on the PSP. */
  @IsObject()
  credentials!: Record<string, unknown>;

  /** Whether new payments may use the account. Look-ups and refunds of old ones always may. */
  @IsBoolean()
  enabled!: boolean;

  @IsIn(['sandbox', 'production'])
  environment!: 'sandbox' | 'production';
}
