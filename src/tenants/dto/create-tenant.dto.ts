import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsEmail, IsIn, IsObject, IsOptional, IsTimeZone, Matches, MaxLength, ValidateNested } from 'class-validator';
import { IsText } from '../../platform/http/validators.js';
import { CURRENCIES } from '../../shared/currency.js';
import { FeeRuleDto } from './fee-rule.dto.js';
import { TenantSettingsDto } from './tenant-settings.dto.js';

export class CreateTenantDto {
  /** The merchant's name. */
  @IsText(120)
  name!: string;

  /** ISO 3166-1 alpha-2, such as PE. */
  @Matches(/^[A-Z]{2}$/, { message: 'must be two capital letters (ISO 3166-1)' })
  country!: string;

  /** ISO 4217, such as PEN. */
  @IsIn(CURRENCIES as string[])
  defaultCurrency!: string;

  @IsEmail()
  @MaxLength(254)
  email!: string;

  /** Language of what the tenant's customers are told. */
  @IsOptional()
  @Matches(/^(es|en)(-[A-Z]{2})?$/, { message: 'must be es or en, with or without a country' })
  locale?: string;

  /** IANA name, such as America/Lima. */
  @IsOptional()
  @IsTimeZone()
  @MaxLength(64)
  timeZone?: string;

  /** What another provider would charge, for the savings of each payment. */
  @IsOptional() @IsArray() @ArrayMaxSize(100) @ValidateNested({ each: true }) @Type(() => FeeRuleDto)
  referenceFees?: FeeRuleDto[];

  @IsOptional() @IsObject() @ValidateNested() @Type(() => TenantSettingsDto)
  settings?: TenantSettingsDto;
}
