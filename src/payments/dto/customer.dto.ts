import { IsEmail, IsIP, IsOptional, MaxLength, ValidateIf } from 'class-validator';
import { CustomerFactsDto } from '../../customers/dto/customer-facts.dto.js';
import { IsVisibleAscii } from '../../platform/http/validators.js';

/** Who pays: with `id` one of the tenant's customers, of whom only what differs need be said. */
export class CustomerDto extends CustomerFactsDto {
  @IsOptional() @IsVisibleAscii(64)
  id?: string;

  /**
   * Required unless `id` is given.
   * @example 'ana@ejemplo.pe'
   */
  @ValidateIf((customer: CustomerDto) => customer.id == null || customer.email != null)
  @IsEmail() @MaxLength(254)
  email?: string;

  /** The address the customer came from. */
  @IsOptional() @IsIP()
  ip?: string;

  /** What the PSP's browser script calls the device. */
  @IsOptional() @IsVisibleAscii(255)
  deviceId?: string;
}
