import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Database } from '../platform/database/database.js';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { withoutNulls } from '../shared/without-nulls.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import { CustomerErasure } from './customer-erasure.js';
import type { CustomerRecord } from './customer.js';
import { Customers, type NewCustomer } from './customers.js';
import { CreateCustomerDto } from './dto/create-customer.dto.js';
import { CustomerPageDto, CustomerRecordDto } from './dto/customer-record.dto.js';
import { ListCustomersDto } from './dto/list-customers.dto.js';
import { UpdateCustomerDto } from './dto/update-customer.dto.js';

/** Customers who come back. */
@ApiTags('Customers')
@Controller('v1/customers')
@AllowedTo('client')
export class CustomersController {
  constructor(private readonly customers: Customers, private readonly erasure: CustomerErasure, private readonly database: Database) {}

  /** Makes a customer. One with this externalId that is there already is answered instead: 200. */
  @Post()
  @ApiCreatedResponse({ type: CustomerRecordDto })
  @ApiOkResponse({ type: CustomerRecordDto })
  @Problems('validation_failed', 'malformed_json')
  async create(@CurrentCaller() caller: Caller, @Body() body: CreateCustomerDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<CustomerRecordDto> {
    const { email, externalId, firstName, lastName, phone, country, address, document, metadata } = withoutNulls(body);
    const { customer, isNew } = await this.customers.create(caller.tenantId, {
      email, externalId: externalId ?? null, firstName: firstName ?? null, lastName: lastName ?? null, phone: phone ?? null, country: country ?? null, address: address ?? null, document: document ?? null, metadata: metadata ?? {},
    });
    void reply.status(isNew ? 201 : 200);
    return customerView(customer);
  }

  /** Customers, newest first. */
  @Get()
  @Problems('validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Query() query: ListCustomersDto): Promise<CustomerPageDto> {
    const filter = { email: query.email, externalId: query.externalId, from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to') };
    const found = await this.customers.search(caller.tenantId, filter, query.pageStart(), query.pageSize() + 1);
    return pageOf(found, query.pageSize(), (customer) => customer, customerView);
  }

  /** One customer. */
  @Get(':id')
  @Problems('not_found')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<CustomerRecordDto> {
    return customerView(await this.customers.find(this.database, caller.tenantId, id));
  }

  /** Changes what is named of a customer, and takes away what is null; payments that were made keep what was said then. */
  @Patch(':id')
  @Problems('validation_failed', 'malformed_json', 'not_found', 'duplicate_reference')
  async update(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body() body: UpdateCustomerDto): Promise<CustomerRecordDto> {
    return customerView(await this.customers.update(caller.tenantId, id, changesIn(body)));
  }

  /**
   * Forgets who a customer is: their cards, what is known of them here and at the gateways, and what their payments say of them, each when it is final; one that
   * was never sent is withdrawn. What the payments were stays, for a customer without a name.
   */
  @Delete(':id')
  @AllowedTo('operator')
  @HttpCode(204)
  @ApiNoContentResponse()
  @Problems('not_found')
  async erase(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.erasure.erase(caller.tenantId, id, caller.keyId);
  }
}

/** What is not named stays as it is. */
function changesIn({ email, metadata, address, document, ...others }: UpdateCustomerDto): Partial<NewCustomer> {
  const given = {
    ...others, email, metadata: metadata === null ? {} : metadata, address: address == null ? address : withoutNulls(address), document: document == null ? document : withoutNulls(document),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function customerView({ tenantId: _tenantId, createdAt, updatedAt, ...shown }: CustomerRecord): CustomerRecordDto {
  return { ...shown, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
