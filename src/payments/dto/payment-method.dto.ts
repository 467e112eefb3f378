import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, IsOptional, Matches, Max, Min, ValidateIf, ValidateNested } from 'class-validator';
import { PAYMENT_METHOD_TYPES, type PaymentMethodType } from '../../gateways/contract/payment-gateway.js';
import { IsText, IsVisibleAscii } from '../../platform/http/validators.js';
import { IsGatewayOptions } from './gateway-options.validator.js';
import { IsGatewayTokens } from './gateway-tokens.validator.js';

/** Facts about the card that the client app knows; never its number. */
export class CardDto {
  @IsOptional() @Matches(/^[0-9]{6,8}$/, { message: 'must be the first six to eight digits' })
  bin?: string;

  @IsOptional() @Matches(/^[0-9]{4}$/, { message: 'must be the last four digits' })
  last4?: string;

  @IsOptional() @IsText(30)
  brand?: string;

  @IsOptional() @IsIn(['credit', 'debit', 'prepaid'])
  funding?: 'credit' | 'debit' | 'prepaid';

  @IsOptional() @Matches(/^[A-Z]{2}$/, { message: 'must be two capital letters (ISO 3166-1)' })
  issuerCountry?: string;
}

export class PaymentMethodDto {
  @IsIn([...PAYMENT_METHOD_TYPES, 'saved'])
  type!: PaymentMethodType | 'saved';

  /** Of type saved: one of the payment methods of customer.id. */
  @ValidateIf(({ type, savedMethodId }: PaymentMethodDto) => type === 'saved' || savedMethodId != null)
  @IsVisibleAscii(64)
  savedMethodId?: string;

  /** Of type saved: `merchant` when the customer is not there, as for a renewal. Gateways that can are told so, and no challenge is asked for. */
  @IsOptional() @IsIn(['customer', 'merchant'])
  initiatedBy?: 'customer' | 'merchant';

  /**
   * A single-use token of each PSP that may be used, by its name. Several make a choice possible: tokens are not portable.
   * @example { "culqi": "tkn_test_Qa1Zx9Wv7Bn3Lk5M" }
   */
  @ValidateIf(({ type, tokens }: PaymentMethodDto) => (type !== 'cash_voucher' && type !== 'saved') || tokens != null)
  @IsGatewayTokens()
  tokens?: Record<string, string>;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => CardDto)
  card?: CardDto;

  @IsOptional() @IsInt() @Min(1) @Max(48)
  installments?: number;

  /** What one PSP wants to know beside, by its name. */
  @IsOptional() @IsGatewayOptions()
  options?: Record<string, Record<string, unknown>>;
}
