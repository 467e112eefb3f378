/** Does `work` for each item, on so many lanes beside each other. After the first that fails no more are begun, and those in hand come to their end. @throws what failed first */
export async function onLanes<Lane, Item>(lanes: readonly Lane[], items: readonly Item[], work: (lane: Lane, item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  await Promise.all(lanes.map(async (lane) => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(lane, item).catch((error: unknown) => {
        failures.push(error);
        waiting.length = 0;
      });
    }
  }));
  if (failures.length > 0) throw failures[0];
}
