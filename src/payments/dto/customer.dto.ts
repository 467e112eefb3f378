import { Type } from 'class-transformer';
import { IsEmail, IsIP, IsObject, IsOptional, Matches, MaxLength, ValidateNested } from 'class-validator';
import { IsText, IsVisibleAscii } from '../../platform/http/validators.js';

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

export class CustomerDto {
  /** @example 'ana@ejemplo.pe' */
  @IsEmail() @MaxLength(254)
  email!: string;

  @IsOptional() @IsText(80)
  firstName?: string;

  @IsOptional() @IsText(80)
  lastName?: string;

  /** With country code, such as +51999000111. */
  @IsOptional() @Matches(/^\+?[0-9 ()-]{5,25}$/, { message: 'must be a telephone number' })
  phone?: string;

  /** ISO 3166-1 alpha-2. */
  @IsOptional() @Matches(/^[A-Z]{2}$/, { message: 'must be two capital letters (ISO 3166-1)' })
  country?: string;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => AddressDto)
  address?: AddressDto;

  @IsOptional() @IsObject() @ValidateNested() @Type(() => DocumentDto)
  document?: DocumentDto;

  /** The address the customer came from. */
  @IsOptional() @IsIP()
  ip?: string;

  /** What the PSP's browser script calls the device. */
  @IsOptional() @IsVisibleAscii(255)
  deviceId?: string;
}
