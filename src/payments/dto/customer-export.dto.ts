import { CustomerRecordDto } from '../../customers/dto/customer-record.dto.js';
import { SavedMethodDto } from '../../customers/dto/saved-method.dto.js';
import { PaymentPageDto } from './payment.dto.js';

/** All that is known of a customer. */
export class CustomerExportDto {
  customer!: CustomerRecordDto;
  paymentMethods!: SavedMethodDto[];
  /** A page of their payments, newest first. */
  payments!: PaymentPageDto;
}
