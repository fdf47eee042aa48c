/**
 * Sources in ascending order as one, each text once. Of each source one item is held, so memory does not grow with what they hold.
 */
export async function* eachOnce<T extends string>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const ahead = await Promise.all(
    sources.map(async (source) => {
      const items = source[Symbol.asyncIterator]()
      return { items, value: await nextOf(items) }
    }),
  )
  for (;;) {
    let least: T | undefined
    for (const { value } of ahead) if (value !== undefined && (least === undefined || value < least)) least = value
    if (least === undefined) return
    yield least
    for (const head of ahead) if (head.value === least) head.value = await nextOf(head.items)
  }
}

async function nextOf<T>(items: AsyncIterator<T>): Promise<T | undefined> {
  const { value, done } = await items.next()
  return done === true ? undefined : value
}
