import { z } from 'zod';
import { type Answer } from '../emulator/exchange.js';
import { type Books } from './books.js';
import { failed } from './failed.js';
import { orderIdOf } from './order-view.js';
import { type BookedPayment, feeOf, stamp } from './payment.js';
import { decimalText } from './order-view.js';
import { SITES, type Settings } from './settings.js';

/** The columns of the settlement report that the emulator fills (mercadopago.md §9.1); a reader goes by their names. */
const COLUMNS = [
  'EXTERNAL_REFERENCE', 'SOURCE_ID', 'USER_ID', 'SITE', 'PAYMENT_METHOD_TYPE', 'PAYMENT_METHOD', 'TRANSACTION_TYPE', 'TRANSACTION_AMOUNT', 'TRANSACTION_CURRENCY', 'TRANSACTION_DATE', 'FEE_AMOUNT', 'SETTLEMENT_NET_AMOUNT',
  'SETTLEMENT_CURRENCY', 'SETTLEMENT_DATE', 'REAL_AMOUNT', 'MONEY_RELEASE_DATE', 'IS_RELEASED', 'MKP_FEE_AMOUNT', 'INSTALLMENTS', 'ORDER_MP',
] as const;
type Column = (typeof COLUMNS)[number];
type Row = Readonly<Record<Column, string>>;

const configSchema = z.looseObject({ file_name_prefix: z.string().optional(), separator: z.enum([',', ';']).optional(), columns: z.array(z.object({ key: z.string() })).optional() });
type Config = z.output<typeof configSchema>;
const rangeSchema = z.object({ begin_date: z.iso.datetime(), end_date: z.iso.datetime() });

interface Report { merchant: string; id: number; begin: number; end: number; fileName: string; asked: number; config: Config }

/** The settlement report: asked for, made a while later, listed, and fetched as a file (mercadopago.md §9). A restart forgets them. */
export class SettlementReports {
  private readonly configs = new Map<string, Config>();
  private readonly reports: Report[] = [];

  constructor(private readonly books: Books, private readonly settings: Settings, private readonly nowMs: () => number) {}

  configure(merchant: string, body: unknown, status: 200 | 201): Answer {
    const read = configSchema.safeParse(body);
    if (!read.success) return failed(400, '1', 'Params error');
    this.configs.set(merchant, read.data);
    return { status, json: read.data };
  }

  config(merchant: string): Answer {
    const config = this.configs.get(merchant);
    return config === undefined ? failed(404, '2000', 'Configuration not found', 'not_found') : { status: 200, json: config };
  }

  /** Needs a configuration (not verified). */
  create(merchant: string, body: unknown): Answer {
    const range = rangeSchema.safeParse(body).data;
    const config = this.configs.get(merchant);
    if (range === undefined || config === undefined) return failed(400, '1', range === undefined ? 'Invalid dates' : 'Configuration is required');
    const id = this.books.nextId();
    const fileName = `${config.file_name_prefix ?? 'settlement-report'}-998877-${range.end_date.slice(0, 10)}-${id}.csv`;
    const report = { merchant, id, begin: Date.parse(range.begin_date), end: Date.parse(range.end_date), fileName, asked: this.nowMs(), config };
    this.reports.push(report);
    return { status: 202, json: this.task(report) };
  }

  taskOf(merchant: string, id: string): Answer {
    const report = this.of(merchant).find((each) => String(each.id) === id);
    return report === undefined ? failed(404, '2000', 'Task not found', 'not_found') : { status: 200, json: this.task(report) };
  }

  /** A bare array of those that are ready. */
  list(merchant: string): Answer {
    return { status: 200, json: this.of(merchant).filter((report) => this.isReady(report)).map(({ id, begin, end, fileName, asked }) => ({ id, user_id: 998_877, begin_date: stamp(begin), end_date: stamp(end), file_name: fileName, created_from: 'manual', date_created: stamp(asked) })) };
  }

  file(merchant: string, fileName: string): Answer {
    const report = this.of(merchant).find((each) => each.fileName === fileName);
    if (report === undefined || !this.isReady(report)) return failed(404, '2000', 'Report not found', 'not_found');
    const { config } = report;
    const columns = config.columns === undefined ? COLUMNS : COLUMNS.filter((column) => config.columns?.some(({ key }) => key === column));
    const lines = [columns.join(config.separator ?? ','), ...this.rowsOf(report).map((row) => columns.map((column) => row[column]).join(config.separator ?? ','))];
    return { status: 200, contentType: 'text/csv; charset=utf-8', text: `${lines.join('\n')}\n` };
  }

  private rowsOf({ merchant, begin, end }: Report): Row[] {
    const { settleLate } = this.settings.current();
    const day = 24 * 3_600_000;
    // One that is late stands in the report of the next day.
    const settledAt = (payment: BookedPayment): number => payment.created_at + (payment.external_reference !== null && settleLate.includes(payment.external_reference) ? day : 0);
    const isIn = (at: number): boolean => at >= begin && at < end;
    return this.books.payments(merchant).filter(({ status }) => ['approved', 'refunded', 'charged_back'].includes(status)).flatMap((payment) => [
      ...(isIn(settledAt(payment)) ? [rowOf(payment, 'SETTLEMENT', payment.amount, feeOf(payment.amount), payment.created_at)] : []),
      ...payment.refunds.filter(({ status, created_at: at }) => status === 'approved' && isIn(at)).map((refund) => rowOf(payment, 'REFUND', -refund.amount, 0, refund.created_at)),
      ...(payment.status === 'charged_back' && isIn(settledAt(payment)) ? [rowOf(payment, 'CHARGEBACK', -payment.amount, 0, payment.created_at)] : []),
    ]);
  }

  private task(report: Report): Record<string, unknown> {
    return { id: report.id, status: this.isReady(report) ? 'done' : 'pending', begin_date: stamp(report.begin), end_date: stamp(report.end), created_at: stamp(report.asked), updated_at: stamp(report.asked), download_url: this.isReady(report) ? report.fileName : null };
  }

  private of(merchant: string): Report[] {
    return this.reports.filter((report) => report.merchant === merchant);
  }

  private isReady({ asked }: Report): boolean {
    return asked + this.settings.current().reportAfterMs <= this.nowMs();
  }
}

/** Fees are negative, and so is what goes back. */
function rowOf(payment: BookedPayment, type: 'SETTLEMENT' | 'REFUND' | 'CHARGEBACK', amount: number, fee: number, at: number): Row {
  const { site } = payment;
  const signed = (minor: number): string => `${minor < 0 ? '-' : ''}${decimalText(Math.abs(minor), site)}`;
  const mkp = type === 'SETTLEMENT' ? payment.application_fee : 0;
  return {
    EXTERNAL_REFERENCE: payment.external_reference ?? '', SOURCE_ID: String(payment.id), USER_ID: '998877', SITE: site, PAYMENT_METHOD_TYPE: payment.method.type, PAYMENT_METHOD: payment.method.id, TRANSACTION_TYPE: type,
    TRANSACTION_AMOUNT: signed(amount), TRANSACTION_CURRENCY: SITES[site], TRANSACTION_DATE: stamp(at), FEE_AMOUNT: signed(-fee), SETTLEMENT_NET_AMOUNT: signed(amount - fee - mkp), SETTLEMENT_CURRENCY: SITES[site],
    SETTLEMENT_DATE: stamp(at + 2_000), REAL_AMOUNT: signed(amount - fee - mkp), MONEY_RELEASE_DATE: stamp(at + 14 * 24 * 3_600_000), IS_RELEASED: 'false', MKP_FEE_AMOUNT: signed(-mkp), INSTALLMENTS: String(payment.installments),
    ORDER_MP: payment.isOrder ? orderIdOf(payment) : '',
  };
}
