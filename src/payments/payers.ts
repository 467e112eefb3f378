import type { Customers } from '../customers/customers.js';
import type { SavedMethods } from '../customers/saved-methods.js';
import type { Customer } from '../gateways/contract/payment-gateway.js';
import type { DatabaseAccess } from '../platform/database/database.js';
import { withoutNulls } from '../shared/without-nulls.js';
import type { ConfirmingCustomerDto, CustomerDto } from './dto/customer.dto.js';
import type { Payment } from './payment.js';

type Paying = Pick<Payment, 'customerId' | 'customer'>;

/** Who pays, completed from what is known of them; read in the payment's own transaction. @throws Problem when the order names nobody */
export type Payer = (access: DatabaseAccess) => Promise<Paying>;

/** Who pays a payment that waited, with what it says of them. @throws Problem `invalid_state` when they were erased; `validation_failed` when nobody is named */
export type ConfirmingPayer = (access: DatabaseAccess, waiting: Payment) => Promise<Paying>;

/** Who pays: one of the tenant's customers, by id or by the card that is kept for them, or somebody who need not come back. */
export class Payers {
  constructor(private readonly customers: Customers, private readonly savedMethods: SavedMethods) {}

  /** The customer of a new order. One that names a kept card and no id is its customer's. */
  ofOrder(tenantId: string, named: CustomerDto, savedMethodId: string | null): Payer {
    const { id, ...said } = withoutNulls(named);
    return async (access) => {
      const customerId = id ?? await this.ownerOf(access, tenantId, savedMethodId);
      return { customerId, customer: await this.complete(access, tenantId, customerId, said) };
    };
  }

  /** What a confirmation says is added to what the payment says. Of another customer, only what tells where the order came from stays. */
  ofConfirmation(tenantId: string, named: ConfirmingCustomerDto | null, savedMethodId: string | null): ConfirmingPayer {
    const { id, ...said } = withoutNulls(named ?? {});
    return async (access, { customerId: before, customer: known }) => {
      const customerId = id ?? before ?? await this.ownerOf(access, tenantId, savedMethodId);
      if (customerId === before) {
        if (customerId !== null) await this.customers.refuseErased(access, tenantId, customerId);
        return { customerId, customer: { ...known, ...said } };
      }
      if (id === undefined) return { customerId, customer: await this.complete(access, tenantId, customerId, { ...known, ...said }) };
      return { customerId, customer: { ...(before === null ? known : cameFrom(known)), ...await this.complete(access, tenantId, id, said) } };
    };
  }

  private complete(access: DatabaseAccess, tenantId: string, id: string | null, said: object): Promise<Customer> {
    return this.customers.complete(access, tenantId, { ...said, ...(id === null ? {} : { id }) });
  }

  private async ownerOf(access: DatabaseAccess, tenantId: string, savedMethodId: string | null): Promise<string | null> {
    return savedMethodId === null ? null : this.savedMethods.ownerOf(access, tenantId, savedMethodId);
  }
}

function cameFrom({ ip, deviceId }: Customer): Pick<Customer, 'ip' | 'deviceId'> {
  return { ...(ip === undefined ? {} : { ip }), ...(deviceId === undefined ? {} : { deviceId }) };
}
