import { p, Type } from '@mikro-orm/core';

/** Bytes compared as they are: no collation makes two keys equal (trap T15). */
class VarBinary extends Type<Buffer, Buffer> {
  constructor(private readonly bytesMax: number) { super(); }
  override getColumnType(): string { return `varbinary(${this.bytesMax})`; }
  override compareAsType(): string { return 'Buffer'; }
}

class FixedBinary extends Type<Buffer, Buffer> {
  constructor(private readonly bytes: number) { super(); }
  override getColumnType(): string { return `binary(${this.bytes})`; }
  override compareAsType(): string { return 'Buffer'; }
}

class MediumBlob extends Type<Buffer, Buffer> {
  override getColumnType(): string { return 'mediumblob'; }
  override compareAsType(): string { return 'Buffer'; }
}

/** Column kinds of the schema (design/style.md, "Money, time, database"). */
export const column = {
  /** Our own ids: ASCII, compared byte by byte. */
  id: () => p.string().length(32).collation('ascii_bin'),
  /** What others name, compared byte by byte: idempotency keys, PSP references. */
  bytes: (bytesMax: number) => p.type(new VarBinary(bytesMax)).$type<Buffer>(),
  hash: () => p.type(new FixedBinary(32)).$type<Buffer>(),
  blob: () => p.type(new MediumBlob()).$type<Buffer>(),
  /** Words of ours: states, kinds, codes. */
  word: <W extends string = string>(length = 40) => p.string().length(length).$type<W>(),
  text: (length: number) => p.string().length(length),
  /** A JSON document, kept as text so that both databases return the bytes that were written. */
  document: () => p.text().columnType('mediumtext'),
  /** UTC with milliseconds. */
  instant: () => p.datetime().length(3),
  /** Minor units; the driver returns a number within ±(2⁵³−1). */
  amount: () => p.bigint('number'),
  count: () => p.integer(),
  flag: () => p.tinyint(),
};
