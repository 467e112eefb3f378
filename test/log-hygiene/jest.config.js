import base from '../../jest.config.js';

/** The second phase of `npm test`: it reads the log lines that the first one left in LOG_CAPTURE_DIR. */
export default { ...base, rootDir: '../..', testMatch: ['<rootDir>/test/log-hygiene/*.spec.ts'], testPathIgnorePatterns: ['/node_modules/'] };
