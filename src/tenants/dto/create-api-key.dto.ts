import { IsIn } from 'class-validator';
import { IsText } from '../../platform/http/validators.js';
import { ROLES, type Role } from '../role.js';

export class CreateApiKeyDto {
  /** What the key is for; shown in lists. */
  @IsText(120)
  name!: string;

  /** What the key may do: admin includes operator, operator includes client. */
  @IsIn(ROLES)
  role!: Role;
}
