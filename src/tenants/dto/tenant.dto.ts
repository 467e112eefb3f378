import { FeeRuleDto } from './fee-rule.dto.js';
import { TenantSettingsDto } from './tenant-settings.dto.js';

/** A merchant. */
export class TenantDto {
  id!: string;
  name!: string;
  country!: string;
  defaultCurrency!: string;
  email!: string;
  locale!: string;
  timeZone!: string;
  referenceFees!: FeeRuleDto[];
  settings!: TenantSettingsDto;
  createdAt!: string;
}
