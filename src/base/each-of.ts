/**
 * Does the work on each as they come, `atOnce` at a time, and reads no further ahead than that; how many there were. The first failure is
 * thrown, and what is under way then ends by itself.
 */
export async function eachOf<T>(
  items: AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<number> {
  const coming = items[Symbol.asyncIterator]()
  let count = 0
  const worker = async () => {
    for (let next = await coming.next(); next.done !== true; next = await coming.next()) {
      count++
      await work(next.value)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return count
}
