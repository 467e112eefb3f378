import { IsIn, IsOptional, Matches } from 'class-validator';
import { GATEWAY_CODES } from '../../gateways/gateways.js';
import { ListQueryDto } from '../../platform/http/list-query.dto.js';
import { IsText, IsVisibleAscii } from '../../platform/http/validators.js';
import { PAYMENT_STATUSES } from '../payment-state.js';

const STATUS_LIST = new RegExp(`^(${PAYMENT_STATUSES.join('|')})(,(${PAYMENT_STATUSES.join('|')}))*$`);

export class ListPaymentsDto extends ListQueryDto {
  @IsOptional() @IsText(64)
  reference?: string;

  /** One or several, with commas between. */
  @IsOptional() @Matches(STATUS_LIST, { message: `must be statuses with commas between: ${PAYMENT_STATUSES.join(', ')}` })
  status?: string;

  @IsOptional() @IsIn(GATEWAY_CODES)
  gateway?: string;

  @IsOptional() @IsVisibleAscii(255)
  gatewayReference?: string;

  @IsOptional() @IsVisibleAscii(64)
  customerId?: string;
}
