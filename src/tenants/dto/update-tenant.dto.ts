import { PartialType } from '@nestjs/swagger';
import { CreateTenantDto } from './create-tenant.dto.js';

/** What changes of a tenant; what is not named stays. */
export class UpdateTenantDto extends PartialType(CreateTenantDto) {}
