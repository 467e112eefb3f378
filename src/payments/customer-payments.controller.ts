import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Customers } from '../customers/customers.js';
import { Database } from '../platform/database/database.js';
import { ListQueryDto } from '../platform/http/list-query.dto.js';
import { pageOf } from '../platform/http/pagination.js';
import { Problems } from '../platform/http/problems.decorator.js';
import { AllowedTo, CurrentCaller } from '../tenants/access.decorator.js';
import type { Caller } from '../tenants/caller.js';
import { PaymentPageDto } from './dto/payment.dto.js';
import { searchPayments } from './payment-search.js';
import { paymentView } from './payment-view.js';

/** What a customer has paid. */
@ApiTags('Customers')
@Controller('v1/customers')
@AllowedTo('client')
export class CustomerPaymentsController {
  constructor(private readonly customers: Customers, private readonly database: Database) {}

  /** The payments of a customer, newest first. */
  @Get(':id/payments')
  @Problems('not_found', 'validation_failed', 'invalid_cursor')
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query() query: ListQueryDto): Promise<PaymentPageDto> {
    const { id: customerId } = await this.customers.find(this.database, caller.tenantId, id);
    const filter = { customerId, from: query.instant(query.from, 'from'), to: query.instant(query.to, 'to') };
    const found = await searchPayments(this.database, caller.tenantId, filter, query.pageStart(), query.pageSize() + 1);
    return pageOf(found, query.pageSize(), ({ payment }) => payment, (shown) => paymentView(shown, caller.locale));
  }
}
