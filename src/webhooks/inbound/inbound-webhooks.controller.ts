import { Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { pageOf } from '../../platform/http/pagination.js';
import { Problems } from '../../platform/http/problems.decorator.js';
import { TAKES_BYTES } from '../../platform/http/json-body.js';
import { AllowedTo, CurrentCaller } from '../../tenants/access.decorator.js';
import type { Caller } from '../../tenants/caller.js';
import { ListWebhookEventsDto, ReceivedDto, WebhookEventDto, WebhookEventPageDto } from './dto/webhook-event.dto.js';
import type { WebhookEventRow, WebhookStatus } from './entities/webhook-event.entity.js';
import { WebhookEvents } from './webhook-events.js';
import { WebhookReceipt } from './webhook-receipt.js';

/** Where PSPs tell what happened, and where people see what they told. */
@ApiTags('Webhooks')
@Controller()
export class InboundWebhooksController {
  constructor(private readonly receipt: WebhookReceipt, private readonly events: WebhookEvents) {}

  /** What a PSP posts. It is proven over its bytes and stored before it is answered; what happened is asked of the PSP afterwards. */
  @Post('webhooks/:gateway/:tenantId')
  @HttpCode(200)
  @AllowedTo('public')
  @RouteConfig(TAKES_BYTES)
  @ApiBody({ schema: { type: 'object', additionalProperties: true }, description: 'As the PSP posts it.' })
  @ApiOkResponse({ type: ReceivedDto })
  @Problems('malformed_json', 'unauthorized', 'not_found', 'body_too_large', 'unsupported_media_type', 'internal', 'unavailable')
  async receive(@Param('gateway') gateway: string, @Param('tenantId') tenantId: string, @Req() request: FastifyRequest): Promise<ReceivedDto> {
    const headers = Object.fromEntries(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
    const query = Object.fromEntries(Object.entries(request.query as Record<string, unknown>).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
    await this.receipt.receive(gateway, tenantId, { headers, query, body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0) });
    return { received: true };
  }

  /** What PSPs told us, newest first. */
  @Get('v1/webhook-events')
  @AllowedTo('operator')
  @Problems('validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Query() query: ListWebhookEventsDto): Promise<WebhookEventPageDto> {
    const filter = {
      gateway: query.gateway, statuses: query.status?.split(',') as WebhookStatus[] | undefined, paymentId: query.paymentId,
      from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to'),
    };
    const found = await this.events.search(caller.tenantId, filter, query.pageStart(), query.pageSize() + 1);
    return pageOf(found, query.pageSize(), ({ id, created_at: createdAt }) => ({ id, createdAt }), eventView);
  }

  /** Has the PSP asked once more about what the event speaks of. */
  @Post('v1/webhook-events/:id/replay')
  @HttpCode(200)
  @AllowedTo('operator')
  @Problems('not_found', 'invalid_state')
  async replay(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<WebhookEventDto> {
    return eventView(await this.events.replay(caller.tenantId, id));
  }
}

function eventView(row: WebhookEventRow): WebhookEventDto {
  return {
    id: row.id, gateway: row.gateway, type: row.topic, eventId: row.event_id.toString('utf8'), status: row.status, proven: row.is_proven !== 0,
    gatewayReference: row.gateway_reference?.toString('utf8') ?? null, paymentId: row.payment_id, deliveries: row.deliveries,
    createdAt: row.created_at.toISOString(), updatedAt: row.updated_at.toISOString(),
  };
}
