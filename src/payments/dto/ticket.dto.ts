import { IsIn, IsOptional, Matches } from 'class-validator';
import { ListQueryDto } from '../../platform/http/list-query.dto.js';
import { IsText, IsVisibleAscii } from '../../platform/http/validators.js';
import { TICKET_KINDS, type TicketKind } from '../../tickets/ticket.js';

export class ListTicketsDto extends ListQueryDto {
  @IsOptional() @IsVisibleAscii(64)
  paymentId?: string;

  /** One or both, with a comma between. */
  @IsOptional() @Matches(/^(open|resolved)(,(open|resolved))?$/, { message: 'must be open, resolved, or both with a comma between' })
  status?: string;

  @IsOptional() @IsIn(TICKET_KINDS)
  kind?: TicketKind;
}

export class ChangeTicketDto {
  /** A ticket that was resolved can be opened again. */
  @IsIn(['open', 'resolved'])
  status!: 'open' | 'resolved';

  /** What was found and done. */
  @IsOptional() @IsText(500)
  resolution?: string;
}

/** Something that a person must look at. */
export class TicketDto {
  id!: string;
  kind!: TicketKind;
  paymentId!: string | null;
  refundId!: string | null;
  attemptId!: string | null;
  status!: 'open' | 'resolved';
  /** What was seen. */
  evidence!: Record<string, unknown>;
  openedAt!: string;
  resolvedAt!: string | null;
  /** What was found and done; by the service itself where evidence came late. */
  resolution!: string | null;
  /** Id of the API key, if it was a person. */
  resolvedBy!: string | null;
}

/** A page of tickets, newest first. */
export class TicketPageDto {
  data!: TicketDto[];
  /** For `cursor`; null on the last page. */
  nextCursor!: string | null;
}
