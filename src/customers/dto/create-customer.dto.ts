import { IsEmail, IsOptional, MaxLength } from 'class-validator';
import { IsMetadata, IsText } from '../../platform/http/validators.js';
import { CustomerFactsDto } from './customer-facts.dto.js';

export class CreateCustomerDto extends CustomerFactsDto {
  /** @example 'ana@ejemplo.pe' */
  @IsEmail() @MaxLength(254)
  email!: string;

  /** What the client app calls the customer; there is one with each. */
  @IsOptional() @IsText(64)
  externalId?: string;

  /** Flat text, at most 50 keys of 40 characters, values of 500. */
  @IsOptional() @IsMetadata()
  metadata?: Record<string, string>;
}
