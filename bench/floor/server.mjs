// The floor: what a payment costs when nothing is done but the durable rows, two commits and one call. Bare node:http and mysql2; it checks nothing.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { performance } from 'node:perf_hooks';
import mysql from 'mysql2';
import * as sql from './statements.mjs';

const PSP = new URL(process.env.CULQI_API_URL);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 32, timeout: 4_000, scheduling: 'lifo' });
const callbacks = mysql.createPool({
  uri: process.env.DATABASE_URL.replace(/^mariadb:/, 'mysql:'), connectionLimit: Number(process.env.DATABASE_POOL), queueLimit: 1000,
  charset: 'UTF8MB4_BIN', timezone: 'Z', supportBigNumbers: true, jsonStrings: true,
});
callbacks.on('connection', (connection) => sql.SESSION.forEach((statement) => connection.query(statement)));
const pool = callbacks.promise();

/** Sorted by time, as the service's are. */
const newId = (prefix) => `${prefix}_${Date.now().toString(32).padStart(10, '0')}${randomBytes(8).toString('hex')}`;
const sha256 = (text) => createHash('sha256').update(text).digest();

async function transaction(work) {
  const connection = await pool.getConnection();
  try {
    await connection.query('begin');
    for (const [statement, values] of work) await connection.query(statement, values);
    await connection.query('commit');
  } catch (error) {
    await connection.query('rollback');
    throw error;
  } finally {
    connection.release();
  }
}

function charge(payment) {
  const body = JSON.stringify({
    amount: payment.amount, currency_code: payment.currency, email: payment.customer.email, source_id: payment.token, capture: true,
    description: payment.description, metadata: { attempt_id: payment.attemptId, payment_id: payment.id },
  });
  const headers = { authorization: `Bearer ${process.env.PSP_KEY}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    http.request(new URL('/v2/charges', PSP), { method: 'POST', agent, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => resolve({ text: Buffer.concat(chunks).toString(), charge: JSON.parse(Buffer.concat(chunks).toString()) }));
    }).on('error', reject).end(body);
  });
}

async function pay(authorization, key, text) {
  const [[caller]] = await pool.query(sql.FIND_CALLER, [sha256(authorization.slice('Bearer '.length))]);
  const body = JSON.parse(text);
  const [id, attemptId, owner, job, at] = [newId('pay'), newId('att'), newId('idk'), newId('job'), new Date()];
  const [tenant, trace, look] = [caller.tenant_id, randomBytes(16).toString('hex'), `look_up:${attemptId}`];
  const { amount, currency, description, customer, paymentMethod } = body;
  await transaction([
    [sql.CLAIM_KEY, [tenant, Buffer.from(key), sha256(text), owner, attemptId]],
    [sql.INSERT_PAYMENT, [id, tenant, 2, 'processing', amount, 0, currency, 'automatic', 'culqi', Buffer.from(body.reference), description,
      JSON.stringify(customer), '{}', JSON.stringify({ type: 'card', installments: 1 }), `k1.${randomBytes(72).toString('base64')}`,
      JSON.stringify({ forced: null, candidates: ['culqi'] }), at, at]],
    [sql.INSERT_ATTEMPT, [attemptId, tenant, id, process.env.ACCOUNT_ID, amount, currency, at, at]],
    [sql.INSERT_FIRST_TRANSITIONS, [tenant, id, trace, at, tenant, id, attemptId, trace, at]],
    [sql.INSERT_JOB, [job, Buffer.from(look), tenant, trace, JSON.stringify({ attemptId })]],
  ]);

  const startedMs = performance.now();
  const { text: raw, charge: taken } = await charge({ id, attemptId, amount, currency, customer, description, token: paymentMethod.tokens.culqi });
  const latencyMs = Math.round(performance.now() - startedMs);

  const { total_fee: fee, total_fee_taxes: tax, transfer_amount: net, id: reference, outcome } = taken;
  const done = new Date();
  const answer = JSON.stringify({
    id, version: 3, status: 'captured', amount, amountCaptured: amount, currency, fee, net, gateway: 'culqi', gatewayReference: reference,
    description, customer,
    attempts: [{ id: attemptId, gateway: 'culqi', operation: 'authorize', status: 'captured', gatewayReference: reference,
      latencyMs, createdAt: at }],
    createdAt: at, updatedAt: done,
  });
  await transaction([
    [sql.CAPTURE_PAYMENT, [fee, fee - tax, tax, net, Buffer.from(reference), taken.authorization_code, String(taken.fraud_score),
      JSON.stringify({ type: 'card', installments: 1, brand: 'visa', last4: taken.source.last_four }), done, tenant, id]],
    [sql.INSERT_LAST_TRANSITION, [tenant, id, attemptId, trace, done]],
    [sql.CLOSE_ATTEMPT, [Buffer.from(reference), outcome.type, latencyMs, raw, done, tenant, attemptId]],
    [sql.DROP_JOB, [Buffer.from(look)]],
    [sql.FINISH_KEY, [Buffer.from(answer), tenant, Buffer.from(key), owner]],
  ]);
  return answer;
}

const server = http.createServer((request, response) => {
  if (request.method === 'GET') return response.end('{}'); // ready
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    pay(request.headers.authorization, request.headers['idempotency-key'], Buffer.concat(chunks).toString()).then(
      (answer) => response.writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }).end(answer),
      (error) => response.writeHead(500).end(String(error.stack)),
    );
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
