import { Type } from 'class-transformer';
import { IsIn, IsObject, IsOptional, IsUrl, MaxLength, ValidateNested } from 'class-validator';
import { GATEWAY_CODES } from '../../gateways/gateways.js';
import { ConfirmingCustomerDto } from './customer.dto.js';
import { PaymentMethodDto } from './payment-method.dto.js';

export class ConfirmPaymentDto {
  /** May be left out when the payment was made with one. */
  @IsOptional() @IsObject() @ValidateNested() @Type(() => PaymentMethodDto)
  paymentMethod?: PaymentMethodDto;

  @IsOptional() @IsIn(GATEWAY_CODES)
  gateway?: string;

  @IsOptional() @IsUrl({ protocols: ['https', 'http'], require_protocol: true, require_tld: false }) @MaxLength(2048)
  returnUrl?: string;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => ConfirmingCustomerDto)
  customer?: ConfirmingCustomerDto;
}
