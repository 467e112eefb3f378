import { IsIn, IsOptional } from 'class-validator';
import { IsText, IsVisibleAscii } from '../../platform/http/validators.js';

class ResolutionGivenDto {
  /** What the gateway calls it, where the payment does not show it. */
  @IsOptional() @IsVisibleAscii(255)
  gatewayReference?: string;

  /** How it was found out: whom the gateway's support named, what its panel shows. */
  @IsText(2000)
  evidence!: string;
}

export class ResolvePaymentDto extends ResolutionGivenDto {
  @IsIn(['captured', 'failed'])
  outcome!: 'captured' | 'failed';
}

export class ResolveRefundDto extends ResolutionGivenDto {
  @IsIn(['succeeded', 'failed'])
  outcome!: 'succeeded' | 'failed';
}

/** What somebody found out, and who agreed. */
export class ResolutionDto {
  id!: string;
  paymentId!: string;
  refundId!: string | null;
  outcome!: 'captured' | 'succeeded' | 'failed';
  gatewayReference!: string | null;
  evidence!: string;
  /** replaced: somebody found something else before anybody agreed. */
  status!: 'proposed' | 'replaced' | 'applied';
  /** Ids of API keys. */
  proposedBy!: string;
  proposedAt!: string;
  approvedBy!: string | null;
  approvedAt!: string | null;
}

/** What was found out, newest first: all on one page. */
export class ResolutionPageDto {
  data!: ResolutionDto[];
  /** As in all lists; null. */
  nextCursor!: string | null;
}
