import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import { ChangePaymentMethodDto, ListSavedMethodsDto, SavedMethodDto, SavedMethodPageDto, SavePaymentMethodDto } from './dto/saved-method.dto.js';
import { expiryOf, type SavedMethod } from './saved-method.js';
import { SavedMethods } from './saved-methods.js';

/** The cards that gateways keep for a customer: for `paymentMethod.type` saved. */
@ApiTags('Customers')
@Controller('v1/customers/:customerId/payment-methods')
@AllowedTo('client')
export class SavedMethodsController {
  constructor(private readonly methods: SavedMethods) {}

  /** Has a gateway keep the card of a token. One that it keeps for this customer already is answered instead: 200. */
  @Post()
  @ApiCreatedResponse({ type: SavedMethodDto })
  @ApiOkResponse({ type: SavedMethodDto })
  @Problems('validation_failed', 'malformed_json', 'not_found', 'invalid_state', 'gateway_not_configured', 'capability_missing', 'payment_method_declined', 'gateway_unavailable')
  async save(@CurrentCaller() caller: Caller, @Param('customerId') customerId: string, @Body() body: SavePaymentMethodDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<SavedMethodDto> {
    const { method, isNew } = await this.methods.save(caller.tenantId, customerId, { gateway: body.gateway, token: body.token, isDefault: body.default === true });
    void reply.status(isNew ? 201 : 200);
    return methodView(method);
  }

  /** A customer's cards, the newest first: all on one page. */
  @Get()
  @Problems('not_found')
  async list(@CurrentCaller() caller: Caller, @Param('customerId') customerId: string): Promise<SavedMethodPageDto> {
    return { data: (await this.methods.ofCustomer(caller.tenantId, customerId)).map(methodView), nextCursor: null };
  }

  /** Makes a card the customer's default. */
  @Patch(':id')
  @Problems('validation_failed', 'malformed_json', 'not_found')
  async change(@CurrentCaller() caller: Caller, @Param('customerId') customerId: string, @Param('id') id: string, @Body() _body: ChangePaymentMethodDto): Promise<SavedMethodDto> {
    return methodView(await this.methods.makeDefault(caller.tenantId, customerId, id));
  }

  /** Forgets a card: it can be used no more from now on, and its gateway is asked to forget it until it says that it has. */
  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  @Problems('not_found')
  async delete(@CurrentCaller() caller: Caller, @Param('customerId') customerId: string, @Param('id') id: string): Promise<void> {
    await this.methods.delete(caller.tenantId, customerId, id);
  }
}

/** The cards that gateways keep for all customers. */
@ApiTags('Customers')
@Controller('v1/payment-methods')
@AllowedTo('client')
export class AllSavedMethodsController {
  constructor(private readonly methods: SavedMethods) {}

  /** Cards, newest first; `expiry=expiring` finds those whose customers should be told. */
  @Get()
  @Problems('validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Query() query: ListSavedMethodsDto): Promise<SavedMethodPageDto> {
    const filter = { expiry: query.expiry, from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to') };
    return pageOf(await this.methods.search(caller.tenantId, filter, query.pageStart(), query.pageSize() + 1), query.pageSize(), (method) => method, methodView);
  }
}

export function methodView(method: SavedMethod): SavedMethodDto {
  const { id, customerId, gateway, card, expiryMonth, expiryYear, isDefault, createdAt } = method;
  return {
    id, customerId, gateway, type: 'card', brand: card.brand ?? null, last4: card.last4 ?? null, bin: card.bin ?? null, funding: card.funding ?? null, expiryMonth, expiryYear,
    expiry: expiryOf(method, new Date()), default: isDefault, createdAt: createdAt.toISOString(),
  };
}
