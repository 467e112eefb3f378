import { FeeRuleDto } from './fee-rule.dto.js';

/** An account at a PSP; secrets masked. */
export class GatewayAccountDto {
  id!: string;
  gateway!: string;
  /** Grows with every change; payments keep the version they were made with. */
  version!: number;
  enabled!: boolean;
  environment!: 'sandbox' | 'production';
  credentials!: Record<string, string>;
  fees!: FeeRuleDto[];
  settings!: Record<string, unknown>;
  createdAt!: string;
}

export class GatewayAccountListDto {
  data!: GatewayAccountDto[];
}
