/** How many of the first `lookedAtMax` are wanted; what comes behind them is not read. */
export async function countAmong<T>(
  items: AsyncIterable<T>,
  lookedAtMax: number,
  isWanted: (item: T) => boolean,
): Promise<number> {
  let [wanted, lookedAt] = [0, 0]
  for await (const item of items) {
    if (isWanted(item)) wanted += 1
    if (++lookedAt >= lookedAtMax) break
  }
  return wanted
}
