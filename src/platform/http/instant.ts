const INSTANT = /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$/;

/** Reads an RFC 3339 instant with its offset, to the millisecond; null for anything else, days that no calendar has, and leap seconds. */
export function parseInstant(text: string): Date | null {
  const [, ...parts] = INSTANT.exec(text) ?? [];
  if (parts.length === 0) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const daysInMonth = new Date(Date.UTC(2000 + year % 400, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 59) return null;
  return new Date(Date.parse(text.toUpperCase().replace(/(\.[0-9]{3})[0-9]+/, '$1')));
}
