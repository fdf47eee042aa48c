import type { JsonObject } from './json-value'
import { pick, wholeBetween, type Random } from './random'
import { stringFromPattern } from './string-from-pattern'

const words = 'harbor maple river stone amber violet cedar meadow signal lantern copper willow'.split(' ')

/** A string for a schema of type string: its format or pattern where it has one, otherwise words within its length. */
export function stringFromSchema(schema: JsonObject, random: Random): string {
  const { format, pattern } = schema
  if (typeof pattern === 'string') return stringFromPattern(pattern, random)
  if (typeof format === 'string') {
    const made = formatted(format, random)
    if (made !== undefined) return made
  }
  const min = typeof schema['minLength'] === 'number' ? schema['minLength'] : 1
  const max = typeof schema['maxLength'] === 'number' ? schema['maxLength'] : Number.POSITIVE_INFINITY
  let text = pick(random, words)
  while (text.length < min) text += ` ${pick(random, words)}`
  // A cut at a space would be trimmed by some readers and then be too short.
  return text.length > max ? text.slice(0, max).replace(/ $/, 'x') : text
}

function formatted(format: string, random: Random): string | undefined {
  const two = (max: number, min = 1) => String(wholeBetween(random, min, max)).padStart(2, '0')
  const date = () => `20${two(39, 20)}-${two(12)}-${two(28)}`
  const time = () => `${two(23, 0)}:${two(59, 0)}:${two(59, 0)}Z`
  const word = () => pick(random, words)
  switch (format) {
    case 'date-time':
      return `${date()}T${time()}`
    case 'date':
      return date()
    case 'time':
      return time()
    case 'duration':
      return `PT${wholeBetween(random, 1, 59)}M`
    case 'email':
      return `${word()}@example.com`
    case 'hostname':
      return `${word()}.example.com`
    case 'uri':
      return `https://example.com/${word()}`
    case 'ipv4':
      return `192.0.2.${wholeBetween(random, 1, 254)}`
    case 'ipv6':
      return `2001:db8::${wholeBetween(random, 1, 9_999).toString(16)}`
    case 'uuid':
      return uuid(random)
    default:
      return undefined
  }
}

function uuid(random: Random): string {
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => wholeBetween(random, 0, 15).toString(16)).join('')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`
}
