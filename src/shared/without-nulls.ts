/** A plain copy of a request's object without members that are null or absent: to us, both mean that nothing was given. */
export function withoutNulls<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given as Record<string, unknown>)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name, typeof value === 'object' && value !== null && !Array.isArray(value) ? withoutNulls(value) : value])) as T;
}
