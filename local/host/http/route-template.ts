/** One part between slashes of a route such as `users/{id:int}/{*rest}`. */
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'parameter'
      readonly name: string
      readonly isOptional: boolean
      /** Undefined: anything goes. */
      readonly accepts: ((value: string) => boolean) | undefined
    }
  | { readonly kind: 'rest'; readonly name: string }

/**
 * Parses a route template of the Functions host (ASP.NET Core syntax: constraints, `?` for optional, `*` for the rest).
 * Throws on what this host does not do (several parameters in one segment, unknown constraints, a rest that is not last),
 * since a route that silently never matches is worse than one that does not start.
 */
export function parseRouteTemplate(template: string): Segment[] {
  const parts = template.split('/').filter((part) => part !== '')
  const segments = parts.map((part) => parseSegment(part, template))
  const restAt = segments.findIndex(({ kind }) => kind === 'rest')
  if (restAt !== -1 && restAt !== segments.length - 1) throw new Error(`Route "${template}": {*rest} must come last`)
  const requiredAfterOptional = segments.some((segment, i) => isOptional(segments[i - 1]) && !isOptional(segment))
  if (requiredAfterOptional) throw new Error(`Route "${template}": only the last parameters can be optional`)
  return segments
}

const isOptional = (segment: Segment | undefined) => segment?.kind === 'parameter' && segment.isOptional

function parseSegment(part: string, template: string): Segment {
  if (!/[{}]/.test(part)) return { kind: 'literal', text: part.toLowerCase() }
  const match = /^\{(\*{0,2})([A-Za-z_][\w-]*)((?::[^{}?]+(?:\{[\d,]+\})?)*)(\?)?\}$/.exec(part)
  if (!match) throw new Error(`Route "${template}": "${part}" is not a segment that the local host understands`)
  const [, stars, name = '', constraints = '', optional] = match
  if (stars) return { kind: 'rest', name }
  const tests = constraints
    .split(':')
    .slice(1)
    .map((constraint) => parseConstraint(constraint, template))
  const accepts = tests.length === 0 ? undefined : (value: string) => tests.every((test) => test(value))
  return { kind: 'parameter', name, isOptional: optional !== undefined, accepts }
}

const INT_MAX = 2_147_483_647
const GUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

function parseConstraint(constraint: string, template: string): (value: string) => boolean {
  const [, name = '', argument = ''] = /^(\w+)(?:\((.*)\))?$/.exec(constraint) ?? []
  const [low = NaN, high = NaN] = argument.split(',').map(Number)
  switch (name.toLowerCase()) {
    case 'int':
      return (value) => /^-?\d+$/.test(value) && Math.abs(Number(value)) <= INT_MAX
    case 'long':
      return (value) => /^-?\d{1,19}$/.test(value)
    case 'bool':
      return (value) => /^(true|false)$/i.test(value)
    case 'decimal':
    case 'double':
    case 'float':
      return (value) => value.trim() !== '' && Number.isFinite(Number(value))
    case 'guid':
      return (value) => GUID.test(value)
    case 'datetime':
      return (value) => !Number.isNaN(Date.parse(value))
    case 'alpha':
      return (value) => /^[a-z]*$/i.test(value)
    case 'required':
      return (value) => value !== ''
    case 'minlength':
      return (value) => value.length >= low
    case 'maxlength':
      return (value) => value.length <= low
    case 'length':
      return (value) => (Number.isNaN(high) ? value.length === low : value.length >= low && value.length <= high)
    case 'min':
      return (value) => Number(value) >= low
    case 'max':
      return (value) => Number(value) <= low
    case 'range':
      return (value) => Number(value) >= low && Number(value) <= high
    case 'regex': {
      const pattern = new RegExp(argument, 'i')
      return (value) => pattern.test(value)
    }
    default:
      throw new Error(`Route "${template}": unknown constraint "${constraint}"`)
  }
}
