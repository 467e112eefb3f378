import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { approvedCharges, createPayment, mintToken, paymentOf, settled } from '../support/payments.js';
import { newMerchant, startService, type Service } from '../support/service.js';

let service: Service;
beforeAll(async () => { service = await startService(); });
afterAll(() => service.close());

it('what the PSP told us is kept when it cannot be applied, and applied once it can (architecture §5)', async () => {
  const shop = await newMerchant(service.ask);
  const token = await mintToken(service.sandbox.url, shop);
  // Any write of a captured payment fails for a reason that no retry mends, as a listener's bug would.
  await service.tables.query("create trigger broken before update on payments for each row begin if new.status = 'captured' then signal sqlstate '45000' set message_text = 'broken listener'; end if; end");
  const key = randomUUID();
  const body = paymentOf(token);
  const made = await createPayment(service, shop.client, body, key);
  expect(made).toMatchObject({ status: 201, body: { status: 'processing', processingReason: 'in_flight' } });
  expect((await createPayment(service, shop.client, body, key)).text).toBe(made.text);
  const [kept] = await service.tables.query<{ unapplied_snapshot: string }>('select unapplied_snapshot from payment_attempts where payment_id = ?', [made.body.id]);
  expect(kept?.unapplied_snapshot).toContain('"status":"captured"');

  await service.tables.query('drop trigger broken');
  expect(await settled(service, shop.client, made.body.id)).toMatchObject({ status: 'captured', amountCaptured: 12_900, fee: 608 });
  expect(approvedCharges(service, shop)).toHaveLength(1);
  const [applied] = await service.tables.query<{ unapplied_snapshot: string | null }>('select unapplied_snapshot from payment_attempts where payment_id = ?', [made.body.id]);
  expect(applied?.unapplied_snapshot).toBeNull();
});
