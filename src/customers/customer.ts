import type { CustomerRow } from './entities/customer.entity.js';

export type Address = { line1?: string; city?: string; state?: string; postalCode?: string };
export type IdentityDocument = { type: string; number: string };

/** What may be known of a customer beside the e-mail address. */
export type CustomerFacts = { firstName: string | null; lastName: string | null; phone: string | null; country: string | null; address: Address | null; document: IdentityDocument | null };

/** Somebody who pays a tenant again and again. */
export type CustomerRecord = CustomerFacts & {
  id: string; tenantId: string; externalId: string | null; email: string; metadata: Record<string, string>; createdAt: Date; updatedAt: Date;
};

const parsed = <T>(document: string | null): T | null => (document === null ? null : JSON.parse(document) as T);
const text = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));

export function customerOf(row: CustomerRow): CustomerRecord {
  return {
    id: row.id, tenantId: row.tenant_id, externalId: row.external_id?.toString('utf8') ?? null, email: row.email, firstName: row.first_name, lastName: row.last_name, phone: row.phone,
    country: row.country, address: parsed(row.address), document: parsed(row.document), metadata: JSON.parse(row.metadata) as Record<string, string>, createdAt: row.created_at, updatedAt: row.updated_at,
  };
}

export function customerColumns(customer: CustomerRecord): Omit<CustomerRow, 'tenant_id' | 'erased_at'> {
  return {
    id: customer.id, external_id: customer.externalId === null ? null : Buffer.from(customer.externalId), email: customer.email, first_name: customer.firstName, last_name: customer.lastName,
    phone: customer.phone, country: customer.country, address: text(customer.address), document: text(customer.document), metadata: JSON.stringify(customer.metadata),
    created_at: customer.createdAt, updated_at: customer.updatedAt,
  };
}
