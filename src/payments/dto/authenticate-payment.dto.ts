import { IsVisibleAscii } from '../../platform/http/validators.js';

/** What the PSP's browser script gave after the customer's authentication (EMV 3-D Secure). */
export class AuthenticatePaymentDto {
  /** Electronic commerce indicator, such as 05. */
  @IsVisibleAscii(8)
  eci!: string;

  @IsVisibleAscii(255)
  xid!: string;

  /** The proof of the authentication. It goes to the PSP and is not kept. */
  @IsVisibleAscii(255)
  cavv!: string;

  /** Such as 2.2.0. */
  @IsVisibleAscii(16)
  protocolVersion!: string;

  @IsVisibleAscii(255)
  directoryServerTransactionId!: string;
}
