import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Database } from '../platform/database/database.js';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { IdempotencyKey, NeedsIdempotencyKey } from '../platform/idempotency/idempotency-key.decorator.js';
import { Problem } from '../shared/problem.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import { AuthenticatePaymentDto } from './dto/authenticate-payment.dto.js';
import { CapturePaymentDto } from './dto/capture-payment.dto.js';
import { ConfirmPaymentDto } from './dto/confirm-payment.dto.js';
import { CreatePaymentDto } from './dto/create-payment.dto.js';
import { ListPaymentsDto } from './dto/list-payments.dto.js';
import { PaymentDto, PaymentPageDto, TimelineDto } from './dto/payment.dto.js';
import { BAD_BODY, send } from './keyed-answers.js';
import { PaymentHistory } from './payment-history.js';
import { searchPayments } from './payment-search.js';
import type { PaymentStatus } from './payment-state.js';
import { paymentView } from './payment-view.js';
import { PaymentsService } from './payments.service.js';

/** Payments, whichever PSP takes them. */
@ApiTags('Payments')
@Controller('v1/payments')
@AllowedTo('client')
export class PaymentsController {
  constructor(private readonly payments: PaymentsService, private readonly history: PaymentHistory, private readonly database: Database) {}

  /** Makes a payment. A decline is an answer too: 201 with status failed. */
  @Post()
  @NeedsIdempotencyKey()
  @ApiCreatedResponse({ type: PaymentDto })
  @Problems(...BAD_BODY, 'duplicate_reference', 'invalid_amount', 'currency_not_supported', 'no_eligible_gateway', 'gateway_not_configured', 'capability_missing')
  async create(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Body() body: CreatePaymentDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return send(reply, await this.payments.create(caller, key, body, request.body));
  }

  /** Sends a payment that was made with confirm false. */
  @Post(':id/confirm')
  @HttpCode(200)
  @NeedsIdempotencyKey()
  @ApiOkResponse({ type: PaymentDto })
  @Problems(...BAD_BODY, 'not_found', 'invalid_state', 'invalid_amount', 'currency_not_supported', 'no_eligible_gateway', 'gateway_not_configured', 'capability_missing')
  async confirm(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Param('id') id: string, @Body() body: ConfirmPaymentDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return send(reply, await this.payments.confirm(caller, key, id, body, request.body));
  }

  /** The second step after nextAction three_ds: what the PSP's browser script gave. */
  @Post(':id/authentication')
  @HttpCode(200)
  @NeedsIdempotencyKey()
  @ApiOkResponse({ type: PaymentDto })
  @Problems(...BAD_BODY, 'not_found', 'invalid_state', 'operation_in_progress')
  async authenticate(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Param('id') id: string, @Body() body: AuthenticatePaymentDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return send(reply, await this.payments.authenticate(caller, key, id, body, request.body));
  }

  /** Takes reserved money: all of it unless an amount is given. */
  @Post(':id/capture')
  @HttpCode(200)
  @NeedsIdempotencyKey()
  @ApiOkResponse({ type: PaymentDto })
  @Problems(...BAD_BODY, 'not_found', 'invalid_state', 'operation_in_progress', 'capture_exceeds_authorized', 'capability_missing')
  async capture(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Param('id') id: string, @Body() body: CapturePaymentDto,
    @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    return send(reply, await this.payments.capture(caller, key, id, (body as CapturePaymentDto | undefined)?.amount ?? undefined, request.body));
  }

  /** Releases reserved money, or withdraws a payment that waits. */
  @Post(':id/void')
  @HttpCode(200)
  @NeedsIdempotencyKey()
  @ApiOkResponse({ type: PaymentDto })
  @Problems(...BAD_BODY, 'not_found', 'invalid_state', 'operation_in_progress', 'capability_missing')
  async void(
    @CurrentCaller() caller: Caller, @IdempotencyKey() key: string, @Param('id') id: string, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    refuseMembers(request.body);
    return send(reply, await this.payments.void(caller, key, id, request.body));
  }

  /** Payments, newest first. */
  @Get()
  @Problems('validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Query() query: ListPaymentsDto): Promise<PaymentPageDto> {
    const { reference, gateway, gatewayReference, customerId, from, to } = query;
    const statuses = query.status?.split(',') as PaymentStatus[] | undefined;
    const filter = { reference, statuses, gateway, gatewayReference, customerId, from: query.instant(from, 'from'), to: query.instant(to, 'to') };
    const found = await searchPayments(this.database, caller.tenantId, filter, query.pageStart(), query.pageSize() + 1);
    return pageOf(found, query.pageSize(), ({ payment }) => payment, (shown) => paymentView(shown, caller.locale));
  }

  /** One payment as it is stored. One whose outcome is not known is looked up soon afterwards. */
  @Get(':id')
  @Problems('not_found')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<PaymentDto> {
    return paymentView(await this.payments.get(caller.tenantId, id), caller.locale);
  }

  /** What happened to the payment, oldest first. */
  @Get(':id/timeline')
  @Problems('not_found')
  async timeline(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<TimelineDto> {
    return { data: await this.history.timeline(this.database, caller.tenantId, id) };
  }

  /** Asks the PSP now how the payment stands. */
  @Post(':id/sync')
  @HttpCode(200)
  @AllowedTo('operator')
  @Problems('not_found', 'gateway_unavailable', 'unavailable')
  async sync(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<PaymentDto> {
    return paymentView(await this.payments.sync(caller.tenantId, id), caller.locale);
  }
}

/** A body that says nothing may be left out or be empty. @throws Problem `validation_failed` */
function refuseMembers(body: unknown): void {
  if (body === undefined) return;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Problem('validation_failed', 'The body must be a JSON object.');
  const errors = Object.keys(body).slice(0, 1).map((field) => ({ field, message: 'is not known' }));
  if (errors.length > 0) throw new Problem('validation_failed', 'The request is not valid.', { errors });
}
