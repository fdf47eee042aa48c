import type { InstanceId } from '../base/ids'
import type { Holder, Lease, Section, SectionId, Spend, WindowState } from './window-state'

/**
 * A window as bytes: a version byte, then unsigned variable-length integers (seven bits a byte, low ones first, the high bit
 * says that more follow) and short strings (length, then ASCII). Cells are written as gaps and holders by their
 * number, so a busy second takes about five bytes and a lease six; test/limits/window-codec.test.ts holds the fullest
 * row that the bounds allow under 48 KB.
 */
export function encodeWindow(state: WindowState): Uint8Array {
  const out = new Writer()
  out.number(VERSION)
  out.number(state.bornMs)
  out.number(state.asOfMs)
  const numbers = new Map<InstanceId, number>()
  out.number(state.holders.size)
  for (const [instanceId, { sequence, expiresAtMs }] of state.holders) {
    numbers.set(instanceId, numbers.size)
    out.text(instanceId)
    out.number(sequence)
    out.number(expiresAtMs)
  }
  out.number(state.sections.size)
  for (const [sectionId, section] of state.sections) {
    out.text(sectionId)
    writeSection(out, section, numbers)
  }
  return out.bytes()
}

/** Throws on a version it does not know and on bytes that end early: a limit nobody can read must not admit. */
export function decodeWindow(bytes: Uint8Array): WindowState {
  const input = new Reader(bytes)
  const version = input.number()
  if (version !== VERSION) throw new Error(`limits row has version ${version}; this code reads ${VERSION}`)
  const bornMs = input.number()
  const asOfMs = input.number()
  const holders = new Map<InstanceId, Holder>()
  for (let count = input.number(); count > 0; count--) {
    const instanceId = input.text() as InstanceId
    holders.set(instanceId, { sequence: input.number(), expiresAtMs: input.number() })
  }
  const names = [...holders.keys()]
  const sections = new Map<SectionId, Section>()
  for (let count = input.number(); count > 0; count--) {
    const sectionId = input.text() as SectionId
    sections.set(sectionId, readSection(input, names))
  }
  return { bornMs, asOfMs, holders, sections }
}

const VERSION = 1
const BYTES_AT_FIRST = 256
const TEXT_BYTES_MAX = 127

function writeSection(out: Writer, { spent, leases }: Section, numbers: ReadonlyMap<InstanceId, number>): void {
  out.number(spent.length)
  let last = 0
  for (const { cell, requests, tokens } of spent) {
    out.number(cell - last)
    out.number(requests)
    out.number(tokens)
    last = cell
  }
  out.number(leases.size)
  for (const [instanceId, { requests, tokens, slots }] of leases) {
    const number = numbers.get(instanceId)
    if (number === undefined) throw new Error('a lease without a holder')
    out.number(number)
    out.number(requests)
    out.number(tokens)
    out.number(slots)
  }
}

function readSection(input: Reader, names: readonly InstanceId[]): Section {
  const spent: Spend[] = []
  let cell = 0
  for (let count = input.number(); count > 0; count--) {
    cell += input.number()
    spent.push({ cell, requests: input.number(), tokens: input.number() })
  }
  const leases = new Map<InstanceId, Lease>()
  for (let count = input.number(); count > 0; count--) {
    const instanceId = names[input.number()]
    const lease = { requests: input.number(), tokens: input.number(), slots: input.number() }
    if (instanceId === undefined) throw new Error('limits row names a holder it does not list')
    leases.set(instanceId, lease)
  }
  return { spent, leases }
}

class Writer {
  #bytes = new Uint8Array(BYTES_AT_FIRST)
  #length = 0

  /** A safe integer of 0 or more. Bit operators would cut it to 32 bits, and times need 41. */
  number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a count: ${value}`)
    let rest = value
    while (rest >= 128) {
      this.#byte((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  text(value: string): void {
    if (value.length > TEXT_BYTES_MAX) throw new Error(`id of ${value.length} characters`)
    this.#byte(value.length)
    for (let i = 0; i < value.length; i++) this.#byte(value.charCodeAt(i))
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = value
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  text(): string {
    let text = ''
    for (let left = this.#byte(); left > 0; left--) text += String.fromCharCode(this.#byte())
    return text
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Error('limits row ends early')
    return byte
  }
}
