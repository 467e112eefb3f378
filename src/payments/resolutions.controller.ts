import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problems } from '../platform/http/problems.decorator.js';
import { IdempotencyKey, NeedsIdempotencyKey } from '../platform/idempotency/idempotency-key.decorator.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import { PaymentDto } from './dto/payment.dto.js';
import { RefundDto } from './dto/refund.dto.js';
import { ResolutionPageDto, ResolvePaymentDto, ResolveRefundDto } from './dto/resolution.dto.js';
import { BAD_BODY, send } from './keyed-answers.js';
import { Resolutions } from './resolutions.js';

/** What people find out where no gateway tells. */
@ApiTags('Operations')
@Controller('v1')
@AllowedTo('operator')
export class ResolutionsController {
  constructor(private readonly resolutions: Resolutions) {}

  /** Says what has become of a payment in needs_review: 202 when the first says so, 200 when another key says the same. */
  @Post('payments/:id/resolution')
  @HttpCode(200)
  @NeedsIdempotencyKey()
  @ApiOkResponse({ type: PaymentDto })
  @ApiAcceptedResponse({ type: PaymentDto })
  @Problems(...BAD_BODY, 'not_found', 'invalid_state')
  async ofPayment(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Param('id') id: string, @Body() body: ResolvePaymentDto, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return send(reply, await this.resolutions.ofPayment(caller, key, id, body, request.body));
  }

  /** What was found out about a payment and its refunds, newest first. */
  @Get('payments/:id/resolutions')
  @Problems('not_found')
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ResolutionPageDto> {
    return { data: await this.resolutions.list(caller.tenantId, id), nextCursor: null };
  }

  /** Says what has become of a refund in needs_review, as of a payment. */
  @Post('refunds/:id/resolution')
  @HttpCode(200)
  @NeedsIdempotencyKey()
  @ApiOkResponse({ type: RefundDto })
  @ApiAcceptedResponse({ type: RefundDto })
  @Problems(...BAD_BODY, 'not_found', 'invalid_state')
  async ofRefund(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Param('id') id: string, @Body() body: ResolveRefundDto, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return send(reply, await this.resolutions.ofRefund(caller, key, id, body, request.body));
  }
}
