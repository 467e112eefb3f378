/** Injection tokens of what has no class: the environment (config/env.ts) and the clock (shared/clock.ts). */
export const ENV = Symbol('Env');
export const CLOCK = Symbol('Clock');
