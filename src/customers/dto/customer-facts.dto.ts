import { Type } from 'class-transformer';
import { IsObject, IsOptional, Matches, ValidateNested } from 'class-validator';
import { IsText } from '../../platform/http/validators.js';

export class AddressDto {
  @IsOptional() @IsText(120)
  line1?: string;

  @IsOptional() @IsText(60)
  city?: string;

  @IsOptional() @IsText(60)
  state?: string;

  @IsOptional() @IsText(20)
  postalCode?: string;
}

export class DocumentDto {
  /** Kind of identity document, such as DNI. */
  @IsText(20)
  type!: string;

  @IsText(40)
  number!: string;
}

/** Arguments of `Matches`. */
export const PHONE = [/^\+?[0-9 ()-]{5,25}$/, { message: 'must be a telephone number' }] as const;
export const COUNTRY = [/^[A-Z]{2}$/, { message: 'must be two capital letters (ISO 3166-1)' }] as const;

/** What may be known of a customer beside the e-mail address. */
export class CustomerFactsDto {
  @IsOptional() @IsText(80)
  firstName?: string;

  @IsOptional() @IsText(80)
  lastName?: string;

  /** With country code, such as +51999000111. */
  @IsOptional() @Matches(...PHONE)
  phone?: string;

  /** ISO 3166-1 alpha-2. */
  @IsOptional() @Matches(...COUNTRY)
  country?: string;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => AddressDto)
  address?: AddressDto;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => DocumentDto)
  document?: DocumentDto;
}
