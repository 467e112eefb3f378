import { Type } from 'class-transformer';
import { IsEmail, IsObject, IsOptional, Matches, MaxLength, ValidateIf, ValidateNested } from 'class-validator';
import { IsMetadata, IsText } from '../../platform/http/validators.js';
import { AddressDto, COUNTRY, DocumentDto, PHONE } from './customer-facts.dto.js';

/** What is not named stays; null takes away what was known. */
export class UpdateCustomerDto {
  @ValidateIf(({ email }: UpdateCustomerDto) => email !== undefined)
  @IsEmail() @MaxLength(254)
  email?: string;

  /** What the client app calls the customer; there is one with each. */
  @IsOptional() @IsText(64)
  externalId?: string | null;

  @IsOptional() @IsText(80)
  firstName?: string | null;

  @IsOptional() @IsText(80)
  lastName?: string | null;

  /** With country code, such as +51999000111. */
  @IsOptional() @Matches(...PHONE)
  phone?: string | null;

  /** ISO 3166-1 alpha-2. */
  @IsOptional() @Matches(...COUNTRY)
  country?: string | null;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => AddressDto)
  address?: AddressDto | null;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => DocumentDto)
  document?: DocumentDto | null;

  /** Replaces all of it. */
  @IsOptional() @IsMetadata()
  metadata?: Record<string, string> | null;
}
