/** Does all the work, `workersMax` pieces at a time. A failure does not keep the other pieces from being done; the first is thrown. */
export async function inParallel<T>(
  items: readonly T[],
  workersMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  const coming = items.values()
  const worker = async () => {
    for (const item of coming) await work(item).catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({ length: Math.min(workersMax, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
}
