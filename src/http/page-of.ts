/**
 * One page of a list that is read whole because its length is bounded anyway. `all` in ascending order of id; `after` need
 * not be in it any more.
 */
export function pageOf<T>(
  all: readonly T[],
  idOf: (item: T) => string,
  { after, limit }: { after?: string | undefined; limit: number },
): { readonly shown: readonly T[]; readonly next: string | undefined } {
  const rest = after === undefined ? all : all.filter((item) => idOf(item) > after)
  const shown = rest.slice(0, limit)
  const last = shown.at(-1)
  return { shown, next: last !== undefined && rest.length > limit ? idOf(last) : undefined }
}
