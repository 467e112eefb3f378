import { IsEmail, IsIP, IsOptional, MaxLength, ValidateIf } from 'class-validator';
import { CustomerFactsDto } from '../../customers/dto/customer-facts.dto.js';
import { IsVisibleAscii } from '../../platform/http/validators.js';

class PayerFactsDto extends CustomerFactsDto {
  @IsOptional() @IsVisibleAscii(64)
  id?: string;

  /** The address the customer came from. */
  @IsOptional() @IsIP()
  ip?: string;

  /** What the PSP's browser script calls the device. */
  @IsOptional() @IsVisibleAscii(255)
  deviceId?: string;
}

/** Who pays: with `id` one of the tenant's customers, of whom only what differs need be said. */
export class CustomerDto extends PayerFactsDto {
  /**
   * Required unless `id` is given.
   * @example 'ana@ejemplo.pe'
   */
  @ValidateIf((customer: CustomerDto) => customer.id == null || customer.email != null)
  @IsEmail() @MaxLength(254)
  email?: string;
}

/** What is added to what the payment says of its customer; with another `id` it is that customer's. */
export class ConfirmingCustomerDto extends PayerFactsDto {
  /** @example 'ana@ejemplo.pe' */
  @IsOptional() @IsEmail() @MaxLength(254)
  email?: string;
}
