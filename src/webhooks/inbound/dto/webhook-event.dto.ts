import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { GATEWAY_CODES } from '../../../gateways/gateways.js';
import { ListQueryDto } from '../../../platform/http/list-query.dto.js';
import { IsVisibleAscii } from '../../../platform/http/validators.js';
import { WEBHOOK_STATUSES, type WebhookStatus } from '../entities/webhook-event.entity.js';

/** What a PSP told us. Identical deliveries are one event. */
export class WebhookEventDto {
  id!: string;
  gateway!: string;
  /** The PSP's word for what happened. */
  type!: string;
  /** The PSP's name of the event. */
  eventId!: string;
  /** ignored: it speaks of no payment; quarantined: of none that we know; dead: the PSP could not be asked. */
  status!: WebhookStatus;
  /** Whether it was proven to come from the PSP; else it was a hint. */
  proven!: boolean;
  gatewayReference!: string | null;
  paymentId!: string | null;
  @ApiProperty({ type: 'integer' }) deliveries!: number;
  createdAt!: string;
  updatedAt!: string;
}

/** A page of events, newest first. */
export class WebhookEventPageDto {
  data!: WebhookEventDto[];
  /** For `cursor`; null on the last page. */
  nextCursor!: string | null;
}

/** A webhook is stored. */
export class ReceivedDto {
  @ApiProperty({ enum: [true] }) received!: boolean;
}

const STATUS_LIST = new RegExp(`^(${WEBHOOK_STATUSES.join('|')})(,(${WEBHOOK_STATUSES.join('|')}))*$`);

export class ListWebhookEventsDto extends ListQueryDto {
  @IsOptional() @IsIn(GATEWAY_CODES)
  gateway?: string;

  /** One or several, with commas between. */
  @IsOptional() @Matches(STATUS_LIST, { message: `must be statuses with commas between: ${WEBHOOK_STATUSES.join(', ')}` })
  status?: string;

  @IsOptional() @IsVisibleAscii(64)
  paymentId?: string;
}
