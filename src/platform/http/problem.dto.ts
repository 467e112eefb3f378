/** One input at fault. */
export class FieldErrorDto {
  /** Where it stands in the request, such as customer.email. */
  field!: string;

  message!: string;
}

/** What went wrong, as RFC 9457 says. */
export class ProblemDto {
  /** The class of problem, as a URN. */
  type!: string;

  title!: string;

  status!: number;

  /** What is wrong with this very request. */
  detail!: string;

  /** The path that was asked for. */
  instance!: string;

  /** What programs look at; never changes its meaning. */
  code!: string;

  /** Finds the request in our logs. */
  traceId!: string;

  /** The inputs at fault, where there are any. */
  errors?: FieldErrorDto[];

  /** With duplicate_reference: the payment that has it. */
  existingId?: string;
}
