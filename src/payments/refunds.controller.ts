import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { IdempotencyKey, NeedsIdempotencyKey } from '../platform/idempotency/idempotency-key.decorator.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import { CreateRefundDto } from './dto/create-refund.dto.js';
import { ListRefundsDto } from './dto/list-refunds.dto.js';
import { RefundDto, RefundPageDto } from './dto/refund.dto.js';
import { BAD_BODY, send } from './keyed-answers.js';
import { PaymentsService } from './payments.service.js';
import { refundView } from './refund-view.js';
import type { RefundStatus } from './refund.js';
import { Refunds } from './refunds.js';

/** Refunds, whichever PSP gives them. */
@ApiTags('Payments')
@Controller('v1')
@AllowedTo('client')
export class RefundsController {
  constructor(private readonly payments: PaymentsService, private readonly refunds: Refunds) {}

  /** Gives captured money back: all that is left unless an amount is given. What the PSP refuses is an answer too: 201 with status failed. */
  @Post('payments/:id/refunds')
  @NeedsIdempotencyKey()
  @ApiCreatedResponse({ type: RefundDto })
  @Problems(...BAD_BODY, 'not_found', 'invalid_state', 'operation_in_progress', 'refund_exceeds_captured', 'capability_missing', 'approval_required', 'forbidden')
  async create(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Param('id') id: string, @Body() body: CreateRefundDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return send(reply, await this.payments.refund(caller, key, id, (body) ?? {}, request.body));
  }

  /** The refunds of a payment, newest first: all on one page. */
  @Get('payments/:id/refunds')
  @Problems('not_found')
  async ofPayment(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<RefundPageDto> {
    return { data: (await this.refunds.ofPayment(caller.tenantId, id)).map((refund) => refundView(refund, caller.locale)), nextCursor: null };
  }

  /** Refunds, newest first. */
  @Get('refunds')
  @Problems('validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Query() query: ListRefundsDto): Promise<RefundPageDto> {
    const filter = {
      paymentId: query.paymentId, statuses: query.status?.split(',') as RefundStatus[] | undefined, from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to'),
    };
    const found = await this.refunds.search(caller.tenantId, filter, query.pageStart(), query.pageSize() + 1);
    return pageOf(found, query.pageSize(), (refund) => refund, (refund) => refundView(refund, caller.locale));
  }

  /** One refund as it is stored. One whose outcome is not known is looked up soon afterwards. */
  @Get('refunds/:id')
  @Problems('not_found')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<RefundDto> {
    return refundView(await this.refunds.find(caller.tenantId, id), caller.locale);
  }
}
