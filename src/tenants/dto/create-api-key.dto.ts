import { IsIn, Length } from 'class-validator';
import { ROLES, type Role } from '../role.js';

export class CreateApiKeyDto {
  /** What the key is for; shown in lists. */
  @Length(1, 120)
  name!: string;

  /** What the key may do: admin includes operator, operator includes client. */
  @IsIn(ROLES)
  role!: Role;
}
