/** A blob trigger's path such as `uploads/{tenant}/{name}.json`: one container, then a pattern over blob names. */
export interface BlobPattern {
  readonly container: string
  /** What every matching blob's name begins with; narrows the listing. */
  readonly prefix: string
  /** The values of the `{...}`, by name; undefined when the blob does not match. */
  match(blobName: string): Readonly<Record<string, string>> | undefined
}

/** A path without a pattern watches the whole container. Throws when the container is itself a pattern. */
export function parseBlobPattern(path: string): BlobPattern {
  const slash = path.indexOf('/')
  const container = slash === -1 ? path : path.slice(0, slash)
  const pattern = slash === -1 ? '{name}' : path.slice(slash + 1)
  if (container === '' || container.includes('{')) throw new Error(`The blob path "${path}" must name one container`)
  const names: string[] = []
  const source = pattern
    .split(/(\{[^{}]+\})/)
    .map((part) => {
      if (!/^\{.+\}$/.test(part)) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      names.push(part.slice(1, -1))
      return '(.+)'
    })
    .join('')
  const expression = new RegExp(`^${source}$`)
  return {
    container,
    prefix: pattern.split('{', 1)[0] ?? '',
    match: (blobName) => {
      const found = expression.exec(blobName)
      return found ? Object.fromEntries(names.map((name, i) => [name, found[i + 1] ?? ''])) : undefined
    },
  }
}
