import { ApiProperty } from '@nestjs/swagger';
import { Equals, IsBoolean, IsIn, IsOptional } from 'class-validator';
import { GATEWAY_CODES } from '../../gateways/gateways.js';
import { ListQueryDto } from '../../platform/http/list-query.dto.js';
import { IsVisibleAscii } from '../../platform/http/validators.js';

export class SavePaymentMethodDto {
  @IsIn(GATEWAY_CODES)
  gateway!: string;

  /** A single-use token of this gateway's, minted in the customer's browser. */
  @IsVisibleAscii(255)
  token!: string;

  /** Make it the customer's default; the first one is in any case. */
  @IsOptional() @IsBoolean()
  default?: boolean;
}

export class ChangePaymentMethodDto {
  /** Makes it the customer's default. */
  @ApiProperty({ type: 'boolean', enum: [true] })
  @Equals(true)
  default!: boolean;
}

/** A card that a gateway keeps for a customer. */
export class SavedMethodDto {
  id!: string;
  customerId!: string;
  gateway!: string;
  type!: 'card';
  brand!: string | null;
  last4!: string | null;
  bin!: string | null;
  funding!: 'credit' | 'debit' | 'prepaid' | null;
  @ApiProperty({ type: 'integer', nullable: true }) expiryMonth!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) expiryYear!: number | null;
  /** Whether its date is over, or soon will be; null where the gateway does not tell it. */
  expiry!: 'valid' | 'expiring' | 'expired' | null;
  default!: boolean;
  createdAt!: string;
}

export class ListSavedMethodsDto extends ListQueryDto {
  /** Cards whose date is over, ends within 45 days, or does neither; of those whose gateway tells a date. */
  @IsOptional() @IsIn(['valid', 'expiring', 'expired'])
  expiry?: 'valid' | 'expiring' | 'expired';
}

/** A page of cards, newest first. */
export class SavedMethodPageDto {
  data!: SavedMethodDto[];
  /** For `cursor`; null on the last page. */
  nextCursor!: string | null;
}
