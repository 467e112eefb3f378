import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogScrubber, SCRUBBED } from './log-scrubber.js';

const scrub = (line: string, secrets: string[] = []): string => new LogScrubber(secrets).scrub(line);

describe('a log line', () => {
  it.each([
    'sk_test_1573b0e8079863ff', 'pk_live_abc123', 'pak_0123456789', 'tkn_test_0CjjdWhFpEAZlxlz', 'ype_test_abcd1234', 'crd_live_abcd1234', 'tok_a1b2c3d4e5f6', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'APP_USR-1234567890-abc', 'TEST-1234567890', '4111111111111111', '4111 1111 1111 1111', '3782-822463-10005',
  ])('loses %s wherever it stands', (secret) => {
    for (const text of [secret, `key=${secret}&x`, `a "${secret}" b`, `first\n${secret}\nlast`, `(${secret})`, `\u0001${secret}\\`]) {
      const clean = scrub(JSON.stringify({ msg: text }));
      expect(clean).not.toContain(secret);
      expect((JSON.parse(clean) as { msg: string }).msg).toContain(SCRUBBED);
    }
  });

  it('loses what follows an authentication scheme', () => {
    expect(scrub(JSON.stringify({ msg: 'Authorization: Bearer abc.def/ghi+jkl==, then Basic dXNlcjpwYXNz' }))).toBe(JSON.stringify({ msg: `Authorization: ${SCRUBBED}, then ${SCRUBBED}` }));
  });

  it('loses the secrets it is told of, also when JSON escapes them', () => {
    const secret = 'a"b\\c+/d=<>';
    expect(scrub(JSON.stringify({ msg: `x${secret}y` }), [secret])).toBe(JSON.stringify({ msg: `x${SCRUBBED}y` }));
  });

  it('stays JSON, whatever is in it', () => {
    const line = fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('4111111111111111', 'sk_live_abcdef', 'Bearer "abcdefghij', 4_111_111_111_111_111, [4_111_111_111_111_111, 1]), fc.jsonValue()));
    fc.assert(fc.property(line, (members) => {
      const clean = scrub(JSON.stringify(members), ['"quoted"secret"']);
      expect(() => JSON.parse(clean) as unknown).not.toThrow();
      expect(clean).not.toContain('4111111111111111');
    }));
  });

  it('keeps ids, times, hashes and amounts', () => {
    const line = JSON.stringify({
      time: '2026-11-24T00:50:00.123Z', traceId: '4bf92f3577b34da6a3ce929d0e0e4736', paymentId: 'pay_01jc3xk2v8f4z6m9q1w5e7r2t4', amount: 12_900, durationMs: 1_796_000_000_000,
      route: '/v1/payments/:id', uuid: 'f47ac10b-58cc-4372-a567-0e02b2c3d479', msg: 'a task_force asked', chargeId: 'chr_test_0CjjdWhFpEAZlxlz',
    });
    const scrubber = new LogScrubber([]);
    expect(scrubber.scrub(line)).toBe(line);
    expect(scrubber.scrubbedLines()).toBe(0);
  });

  it('is counted when it had something to hide', () => {
    const scrubber = new LogScrubber([]);
    for (const msg of ['sk_live_abcdef', 'nothing', '4111111111111111 4111111111111111']) scrubber.scrub(JSON.stringify({ msg }));
    expect(scrubber.scrubbedLines()).toBe(2);
  });

  it('is scrubbed in linear time', () => {
    for (const text of ['sk_'.repeat(80_000), 'Bearer '.repeat(40_000), '4'.repeat(250_000), '\\u0000'.repeat(40_000), `Bearer ${'x'.repeat(250_000)}`, 'TEST-'.repeat(50_000)]) {
      const startedMs = performance.now();
      scrub(JSON.stringify({ msg: text }));
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
  });
});
