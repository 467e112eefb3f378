import { IsOptional, IsString, Matches } from 'class-validator';
import { Problem } from '../../shared/problem.js';
import { parseInstant } from './instant.js';
import { PAGE_SIZE, readCursor, type PageStart } from './pagination.js';

/** The query of every list. */
export class ListQueryDto {
  /** How many on a page: 1 to 100; 20 unless said. */
  @IsOptional() @Matches(/^(?:[1-9][0-9]?|100)$/, { message: 'must be a number from 1 to 100' })
  limit?: string;

  /** `nextCursor` of the page before. */
  @IsOptional() @IsString()
  cursor?: string;

  /** Made at this instant or later (RFC 3339). */
  @IsOptional() @IsString()
  from?: string;

  /** Made before this instant (RFC 3339). */
  @IsOptional() @IsString()
  to?: string;

  pageSize(): number {
    return this.limit === undefined ? PAGE_SIZE : Number(this.limit);
  }

  /** @throws Problem `invalid_cursor` */
  pageStart(): PageStart | null {
    return this.cursor === undefined ? null : readCursor(this.cursor);
  }

  /** @throws Problem `validation_failed` naming `field` */
  instant(text: string | undefined, field: string): Date | undefined {
    if (text === undefined) return undefined;
    const instant = parseInstant(text);
    if (instant !== null) return instant;
    throw new Problem('validation_failed', 'The request is not valid.', { errors: [{ field, message: 'must be an RFC 3339 instant with its offset, such as 2026-01-28T15:04:05Z' }] });
  }
}
