import { IsEmail, IsOptional, MaxLength } from 'class-validator';
import { IsMetadata } from '../../platform/http/validators.js';
import { CustomerFactsDto } from './customer-facts.dto.js';

/** What is not named stays. */
export class UpdateCustomerDto extends CustomerFactsDto {
  @IsOptional() @IsEmail() @MaxLength(254)
  email?: string;

  /** Replaces all of it. */
  @IsOptional() @IsMetadata()
  metadata?: Record<string, string>;
}
