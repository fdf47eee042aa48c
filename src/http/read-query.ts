import { Problem } from '../base/problem'

/** Each parameter once: of two values one would be passed over, and nobody could tell which. */
export function readQuery(query: URLSearchParams): Readonly<Record<string, string>> | Problem {
  const repeated = [...new Set(query.keys())].filter((name) => query.getAll(name).length > 1)
  const [first] = repeated
  if (first === undefined) return Object.fromEntries(query)
  const errors = repeated.map((name) => ({ path: name, message: 'Must be sent once' }))
  return new Problem('invalid_request', `${first}: Must be sent once`, { param: first, errors })
}
