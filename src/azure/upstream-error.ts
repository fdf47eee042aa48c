/** Why a backend gave no (more) answer. */
export class UpstreamError extends Error {
  readonly kind: 'connect' | 'timeout' | 'broken' | 'cancelled'
  constructor(kind: UpstreamError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'UpstreamError'
    this.kind = kind
  }
}
