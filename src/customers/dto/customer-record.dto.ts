import { AddressDto, DocumentDto } from './customer-facts.dto.js';

/** Somebody who pays again and again. */
export class CustomerRecordDto {
  id!: string;
  externalId!: string | null;
  email!: string;
  firstName!: string | null;
  lastName!: string | null;
  phone!: string | null;
  country!: string | null;
  address!: AddressDto | null;
  document!: DocumentDto | null;
  metadata!: Record<string, string>;
  createdAt!: string;
  updatedAt!: string;
}

/** A page of customers, newest first. */
export class CustomerPageDto {
  data!: CustomerRecordDto[];
  /** For `cursor`; null on the last page. */
  nextCursor!: string | null;
}
