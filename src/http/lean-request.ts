/**
 * Stands in for fetch's `Request` where the Functions library makes one for every call; `scripts/lean-functions-library.js`
 * puts it there. It answers what nearly every handler asks (url, method, a header, the whole body) without fetch's objects,
 * whose header lists, web streams and finalizers cost more than all of a call's own work. Anything else is left to a real
 * request, made when it is first asked for.
 */
export class LeanRequest {
  /** As it was sent; a real request would give it normalised. */
  readonly url: string
  readonly method: string
  readonly headers: LeanHeaders
  readonly #init: LibraryRequestInit
  #full: Request | undefined
  #bodyRead = false

  constructor(url: string, init: LibraryRequestInit) {
    this.url = url
    this.method = init.method
    this.headers = new LeanHeaders(init.headers ?? {})
    this.#init = init
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#init.body ? this.#request().body : null
  }

  get bodyUsed(): boolean {
    return this.#bodyRead || (this.#full?.bodyUsed ?? false)
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#full || this.#bodyRead) return this.#request().arrayBuffer()
    this.#bodyRead = true
    const chunks: Uint8Array[] = []
    for await (const chunk of this.#init.body ?? []) chunks.push(chunk)
    return joined(chunks)
  }

  blob(): Promise<Blob> {
    return this.#request().blob()
  }

  formData(): Promise<FormData> {
    return this.#request().formData()
  }

  json(): Promise<unknown> {
    return this.#request().json()
  }

  text(): Promise<string> {
    return this.#request().text()
  }

  clone(): Request {
    return this.#request().clone()
  }

  #request(): Request {
    if (this.#bodyRead) throw new TypeError('Body is unusable: Body has already been read')
    this.#full ??= new Request(this.url, this.#init as RequestInit)
    return this.#full
  }
}

/** What the library gives fetch's constructor; `body` is Node's own request. */
export interface LibraryRequestInit {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: AsyncIterable<Uint8Array> | undefined
  readonly duplex?: 'half'
}

/** Reads of single headers without fetch's header list. */
class LeanHeaders {
  readonly #values: Readonly<Record<string, string>>

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = values
  }

  get(name: string): string | null {
    const exact = this.#values[name]
    if (exact !== undefined) return exact
    const lower = name.toLowerCase()
    // The host may keep the case that the client sent.
    for (const key in this.#values) if (key.toLowerCase() === lower) return this.#values[key] ?? null
    return null
  }

  has(name: string): boolean {
    return this.get(name) !== null
  }

  forEach(visit: Parameters<Headers['forEach']>[0]): void {
    this.#full().forEach(visit)
  }

  entries() {
    return this.#full().entries()
  }

  keys() {
    return this.#full().keys()
  }

  values() {
    return this.#full().values()
  }

  [Symbol.iterator]() {
    return this.entries()
  }

  #full(): Headers {
    return new Headers(this.#values)
  }
}

function joined(chunks: readonly Uint8Array[]): ArrayBuffer {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all.buffer
}
