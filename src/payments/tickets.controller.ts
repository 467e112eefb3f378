import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import type { TicketRecord } from '../tickets/ticket.js';
import { Tickets } from '../tickets/tickets.js';
import { ChangeTicketDto, ListTicketsDto, TicketDto, TicketPageDto } from './dto/ticket.dto.js';

/** What people must look at. Here and not in tickets/, which stands below whoever knows who asks (architecture §8). */
@ApiTags('Operations')
@Controller(['v1/tickets', 'v1/reconciliation/tickets'])
@AllowedTo('operator')
export class TicketsController {
  constructor(private readonly tickets: Tickets) {}

  /** Tickets, newest first. */
  @Get()
  @Problems('validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Query() query: ListTicketsDto): Promise<TicketPageDto> {
    const filter = { paymentId: query.paymentId, statuses: query.status?.split(',') as TicketRecord['status'][] | undefined, kind: query.kind, from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to') };
    const found = await this.tickets.search(caller.tenantId, filter, query.pageStart(), query.pageSize() + 1);
    return pageOf(found, query.pageSize(), ({ id, openedAt }) => ({ id, createdAt: openedAt }), ticketView);
  }

  /** Resolves a ticket, or opens it again. What it is about does not move by that. */
  @Patch(':id')
  @Problems('validation_failed', 'malformed_json', 'not_found')
  async change(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body() body: ChangeTicketDto): Promise<TicketDto> {
    return ticketView(await this.tickets.change(caller.tenantId, id, { status: body.status, resolution: body.resolution ?? null, by: caller.keyId }));
  }
}

function ticketView({ openedAt, resolvedAt, ...shown }: TicketRecord): TicketDto {
  return { ...shown, openedAt: openedAt.toISOString(), resolvedAt: resolvedAt?.toISOString() ?? null };
}
