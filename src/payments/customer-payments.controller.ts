import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { customerView } from '../customers/customers.controller.js';
import { Customers } from '../customers/customers.js';
import { methodView } from '../customers/saved-methods.controller.js';
import { SavedMethods } from '../customers/saved-methods.js';
import { Database } from '../platform/database/database.js';
import { ListQueryDto } from '../platform/http/list-query.dto.js';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import { CustomerExportDto } from './dto/customer-export.dto.js';
import { PaymentPageDto } from './dto/payment.dto.js';
import { searchPayments } from './payment-search.js';
import { paymentView } from './payment-view.js';

/** What a customer has paid. */
@ApiTags('Customers')
@Controller('v1/customers')
@AllowedTo('client')
export class CustomerPaymentsController {
  constructor(private readonly customers: Customers, private readonly savedMethods: SavedMethods, private readonly database: Database) {}

  /** The payments of a customer, newest first. */
  @Get(':id/payments')
  @Problems('not_found', 'validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query() query: ListQueryDto): Promise<PaymentPageDto> {
    const { id: customerId } = await this.customers.find(this.database, caller.tenantId, id);
    return this.payments(caller, customerId, query);
  }

  /** All that is known of a customer, for them to have: with a page of their payments, whose `nextCursor` leads to the next. */
  @Get(':id/export')
  @AllowedTo('operator')
  @Problems('not_found', 'validation_failed', 'invalid_cursor')
  async export(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query() query: ListQueryDto): Promise<CustomerExportDto> {
    const customer = await this.customers.find(this.database, caller.tenantId, id);
    const methods = await this.savedMethods.ofCustomer(caller.tenantId, customer.id);
    return { customer: customerView(customer), paymentMethods: methods.map(methodView), payments: await this.payments(caller, customer.id, query) };
  }

  private async payments(caller: Caller, customerId: string, query: ListQueryDto): Promise<PaymentPageDto> {
    const filter = { customerId, from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to') };
    const found = await searchPayments(this.database, caller.tenantId, filter, query.pageStart(), query.pageSize() + 1);
    return pageOf(found, query.pageSize(), ({ payment }) => payment, (shown) => paymentView(shown, caller.locale));
  }
}
