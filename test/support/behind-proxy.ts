import { startCulqiSandbox, type CulqiSandbox } from '../../src/sandbox/culqi/culqi-sandbox.js';
import { startDatabaseProxy, type DatabaseProxy } from './database-proxy.js';
import { startInstance } from './service.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export type BehindProxy = { tables: TestDatabase; sandbox: CulqiSandbox; proxy: DatabaseProxy; instance: Awaited<ReturnType<typeof startInstance>>; close: () => Promise<void> };

/** An instance that has Culqi's emulator, and a database of its own behind a proxy that can be told to fail. */
export async function startBehindProxy(changes: Record<string, string> = {}): Promise<BehindProxy> {
  const tables = await createTestDatabase();
  const sandbox = await startCulqiSandbox({});
  const proxy = await startDatabaseProxy(tables.url);
  const instance = await startInstance(proxy.url, sandbox.url, changes);
  return {
    tables, sandbox, proxy, instance,
    async close() {
      await instance.app.close();
      await proxy.close();
      await sandbox.close();
      await tables.drop();
    },
  };
}
