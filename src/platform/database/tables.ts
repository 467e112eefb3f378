/**
 * Every table by its name, with the row type that its entity implies. Each feature adds its own by declaration merging, beside the
 * entity, so that the platform knows no feature.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by the features
export interface Tables {}

export type TableName = keyof Tables;

/** Tables whose rows belong to one tenant. */
export type TenantTable = { [T in TableName]: Tables[T] extends { tenant_id: string } ? T : never }[TableName];
