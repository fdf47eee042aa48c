/**
 * One page of a list that is read whole because its length is bounded anyway. Where `after` is not in it any more, the page
 * is of the greater ids.
 */
export function pageOf<T>(
  all: readonly T[],
  idOf: (item: T) => string,
  { after, limit }: { after?: string | undefined; limit: number },
): { readonly shown: readonly T[]; readonly next: string | undefined } {
  const rest = after === undefined ? all : behind(all, idOf, after)
  const shown = rest.slice(0, limit)
  const last = shown.at(-1)
  return { shown, next: last !== undefined && rest.length > limit ? idOf(last) : undefined }
}

function behind<T>(all: readonly T[], idOf: (item: T) => string, after: string): readonly T[] {
  const at = all.findIndex((item) => idOf(item) === after)
  return at >= 0 ? all.slice(at + 1) : all.filter((item) => idOf(item) > after)
}
