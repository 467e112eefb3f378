import { IsOptional, Matches } from 'class-validator';
import { ListQueryDto } from '../../platform/http/list-query.dto.js';
import { IsVisibleAscii } from '../../platform/http/validators.js';
import { REFUND_STATUSES } from '../refund.js';

const STATUS_LIST = new RegExp(`^(${REFUND_STATUSES.join('|')})(,(${REFUND_STATUSES.join('|')}))*$`);

export class ListRefundsDto extends ListQueryDto {
  @IsOptional() @IsVisibleAscii(64)
  paymentId?: string;

  /** One or several, with commas between. */
  @IsOptional() @Matches(STATUS_LIST, { message: `must be statuses with commas between: ${REFUND_STATUSES.join(', ')}` })
  status?: string;
}
