import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AuditTrail, type AuditEntry } from '../platform/audit/audit-trail.js';
import { Database } from '../platform/database/database.js';
import { ListQueryDto } from '../platform/http/list-query.dto.js';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { AllowedTo } from './access.decorator.js';
import { AuditEntryDto, AuditEntryListDto } from './dto/audit-entry.dto.js';
import { Tenants } from './tenants.js';

/** Who changed a merchant's keys and settings. */
@ApiTags('Tenants and gateways')
@Controller('v1/admin/tenants/:tenantId/audit-entries')
export class AuditController {
  constructor(private readonly audit: AuditTrail, private readonly tenants: Tenants, private readonly database: Database) {}

  /** The tenant's audit trail, newest first. */
  @Get()
  @AllowedTo('tenant_administration')
  @Problems('validation_failed', 'invalid_cursor', 'not_found')
  async list(@Param('tenantId') tenantId: string, @Query() query: ListQueryDto): Promise<AuditEntryListDto> {
    const after = query.pageStart();
    const made = { from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to') };
    await this.tenants.find(tenantId);
    const found = await this.audit.list(this.database, tenantId, made, after, query.pageSize() + 1);
    return pageOf(found, query.pageSize(), ({ createdAt, entryNumber }) => ({ createdAt, id: String(entryNumber) }), entryView);
  }
}

function entryView({ id, entryNumber, createdAt, actor, action, subject, detail, traceId, hash }: AuditEntry): AuditEntryDto {
  return { id, entryNumber, createdAt: createdAt.toISOString(), actor, action, subject, detail, traceId, hash };
}
