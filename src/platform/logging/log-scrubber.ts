import { findCardNumbers, replaceSpans, type Span } from '../../shared/card-number.js';

/** Stands in a log line where a secret stood. To find it means that something logs what it should not. */
export const SCRUBBED = '***scrubbed***';

/** A value shorter than this is too common a word to be hidden wherever it stands. */
const SECRET_LENGTH_MIN = 8;

/** Keys of ours and of PSPs, and single-use tokens, by how they begin; and what follows an authentication scheme. Each alternative is linear. */
const SECRETS = /(?<![0-9A-Za-z])(?:(?:sk|pk|pak|tkn|ype|crd|tok|whsec)_[0-9A-Za-z_+/=-]{4,}|(?:APP_USR|TEST)-[0-9A-Za-z_-]{8,}|(?:Bearer|Basic) [\x21-\x7e]{8,}?(?=["\\,\s]|$))/g;

/** Escapes of JSON, also of JSON within JSON: they stand for signs, but look like letters before a secret. */
const ESCAPES = /\\+(?:u[0-9a-fA-F]{4}|.)/g;

/** The last line of defence of the log: hides secrets and card numbers in a finished line, which stays JSON. Nothing should ever need it. */
export class LogScrubber {
  private readonly secrets: readonly string[];
  private scrubbed = 0;

  /** `secrets` are values that must never appear, such as the platform's own keys. */
  constructor(secrets: readonly string[]) {
    this.secrets = secrets.filter(({ length }) => length >= SECRET_LENGTH_MIN).map((secret) => JSON.stringify(secret).slice(1, -1));
  }

  scrub(line: string): string {
    let clean = line;
    for (const secret of this.secrets) clean = clean.replaceAll(secret, SCRUBBED);
    clean = replaceSpans(clean, [...withoutEscapes(clean).matchAll(SECRETS)].map(spanOf), () => SCRUBBED);
    clean = replaceSpans(clean, findCardNumbers(withoutEscapes(clean)), (span) => (isBareNumber(clean, span) ? '0' : SCRUBBED));
    if (clean !== line) this.scrubbed += 1;
    return clean;
  }

  /** How many lines had something to hide. */
  scrubbedLines(): number {
    return this.scrubbed;
  }
}

/** The line with blanks for escapes: every place in it is the same. */
function withoutEscapes(line: string): string {
  return line.replace(ESCAPES, (escape) => ' '.repeat(escape.length));
}

function spanOf({ 0: text, index }: RegExpExecArray): Span {
  return { start: index, end: index + text.length };
}

/** A number outside quotes must stay a number, or the line is no JSON any more. */
function isBareNumber(line: string, { start, end }: Span): boolean {
  return /[:[,]/.test(line.charAt(start - 1)) && /[,}\]]/.test(line.charAt(end));
}
