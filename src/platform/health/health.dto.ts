/** That the process answers. */
export class LivenessDto {
  status!: 'ok';
}

/** How one thing stands that the service needs. */
export class CheckResultDto {
  status!: 'ok' | 'failed';
  /** Why it failed. */
  reason?: string;
}

/** Whether requests should be sent here. */
export class ReadinessDto {
  status!: 'ok' | 'unavailable';
  checks!: Record<string, CheckResultDto>;
}
