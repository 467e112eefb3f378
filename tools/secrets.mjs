// What `npm run up` makes once and keeps in `.data`, which only its owner can read.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Letters and digits of a strong random source: about 5.9 bits each. */
export function randomText(length) {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  return Array.from({ length }, () => alphabet[crypto.randomInt(alphabet.length)]).join('');
}

/** Keeps one JSON file, mode 0600, in the folder, mode 0700. */
export function keep(file, value) {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.chmodSync(path.dirname(file), 0o700);
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

/** What {@link keep} kept, or undefined. */
export function kept(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Adds to what is kept; what the environment gave for this run stays out. */
export function remember(home, change) {
  const file = path.join(home, 'secrets.json');
  keep(file, { ...kept(file), ...change });
}

/** The secrets of this clone, made at the first run; what the environment gives goes first. */
export function secretsOf(home) {
  const file = path.join(home, 'secrets.json');
  const secrets = kept(file) ?? {
    platformAdminKey: `pak_${randomText(40)}`,
    encryptionKeys: `k1:${crypto.randomBytes(32).toString('base64')}`,
    databasePassword: randomText(32),
    culqiAccount: `Demo${randomText(16)}`,
  };
  keep(file, secrets);
  return {
    ...secrets,
    platformAdminKey: process.env.PLATFORM_ADMIN_KEY || secrets.platformAdminKey,
    encryptionKeys: process.env.ENCRYPTION_KEYS || secrets.encryptionKeys,
  };
}
