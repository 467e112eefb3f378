import { type Charge } from './charge.js';

/** The charge as a look-up shows it: the issuer's and the payer's details are null, as recorded for GET and list (culqi.md §1.6). */
export function sparseCharge(booked: Charge): Charge {
  const { source } = booked;
  const issuer = { name: null, country: null, country_code: null, website: null, phone_number: null };
  const client = { ip: null, ip_country: null, ip_country_code: null, browser: null, device_fingerprint: null, device_type: null };
  return { ...booked, source: { ...source, iin: { ...source.iin, issuer, installments_allowed: null }, client } };
}
