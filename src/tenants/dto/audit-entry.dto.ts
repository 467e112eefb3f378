import { ApiProperty } from '@nestjs/swagger';

/** Something that somebody changed. */
export class AuditEntryDto {
  id!: string;
  /** 1, 2, 3 … without a gap. */
  entryNumber!: number;
  createdAt!: string;
  /** The id of the key that asked, `platform`, or `command`. */
  actor!: string;
  /** What was done, such as `api_key.created`. */
  action!: string;
  /** The id of what was changed. */
  subject!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) detail!: Record<string, unknown>;
  traceId!: string | null;
  /** SHA-256 over this entry and the hash of the one before. */
  hash!: string;
}

export class AuditEntryListDto {
  data!: AuditEntryDto[];
  nextCursor!: string | null;
}
