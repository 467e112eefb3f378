import { IsOptional } from 'class-validator';
import { ListQueryDto } from '../../platform/http/list-query.dto.js';
import { IsText } from '../../platform/http/validators.js';

export class ListCustomersDto extends ListQueryDto {
  @IsOptional() @IsText(254)
  email?: string;

  @IsOptional() @IsText(64)
  externalId?: string;
}
