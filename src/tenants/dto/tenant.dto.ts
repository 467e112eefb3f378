/** A merchant. */
export class TenantDto {
  id!: string;
  name!: string;
  country!: string;
  defaultCurrency!: string;
  email!: string;
  locale!: string;
  timeZone!: string;
  createdAt!: string;
}
