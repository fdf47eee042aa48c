import type { UpstreamResponse } from '../azure/upstream-exchange'
import { CLOSE_BRACE, OPEN_BRACE, SPACE } from './json-characters'
import { isJsonObject } from './json-grammar'
import type { Operation } from './operation'

/** Whole answers up to so many bytes are looked through, which takes 0.2 ms at most; of larger ones their ends are looked at. */
const SCANNED_BYTES_MAX = 64 * 1024

/**
 * Why what came with a success is no answer of the surface; undefined where it is one. What stands in front of a backend answers
 * in its place when that is away or asks for a login: with a page, a redirection, a body that was cut. Nobody could read those, and
 * they show the names of machines: another backend may answer, and the client is told what has failed.
 */
export function whyNoAnswer(
  { status, headers }: Pick<UpstreamResponse, 'status' | 'headers'>,
  body: Buffer,
  { mayAnswerText }: Pick<Operation, 'mayAnswerText'>,
): string | undefined {
  if (status >= 400) return undefined
  if (status !== 200) return `HTTP ${status}`
  const type = typeOf(headers)
  if (mayAnswerText && type !== JSON_TYPE && type !== PAGE) return undefined
  return isObjectAnswer(body) ? undefined : 'a success without JSON'
}

/** The same of an answer that is bytes: sound has a type of its own, or none. */
export function whyNoSound({ headers }: Pick<UpstreamResponse, 'headers'>): string | undefined {
  const type = typeOf(headers)
  return type.startsWith('text/') || type === JSON_TYPE ? `a success of type ${type.slice(0, 32)}` : undefined
}

const PAGE = 'text/html'
const JSON_TYPE = 'application/json'

const typeOf = ({ 'content-type': type }: UpstreamResponse['headers']): string =>
  (/^[\w.+-]+\/[\w.+-]+/.exec(typeof type === 'string' ? type : '')?.[0] ?? '').toLowerCase()

/** Of a large one only its ends are looked at. */
export function isObjectAnswer(body: Buffer): boolean {
  return body.length > SCANNED_BYTES_MAX ? hasBraces(body) : isJsonObject(body)
}

function hasBraces(body: Buffer): boolean {
  let first = 0
  while (isBlank(body[first])) first += 1
  let last = body.length - 1
  while (last > first && isBlank(body[last])) last -= 1
  return body[first] === OPEN_BRACE && body[last] === CLOSE_BRACE
}

const isBlank = (byte: number | undefined) => byte !== undefined && byte <= SPACE
