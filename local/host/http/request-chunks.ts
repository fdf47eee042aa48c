import type { IncomingMessage } from 'node:http'

/**
 * The chunks of a request's body. Node's own iterator over a stream serves every kind of stream and costs about a tenth of a
 * small request; this one knows that it reads a request, once, from the start. It pauses the socket while nobody reads.
 */
export function requestChunks(req: IncomingMessage): AsyncIterator<Buffer, undefined> {
  const chunks: Buffer[] = []
  let ended = false
  let failure: Error | undefined
  let wake: (() => void) | undefined

  const settle = () => {
    wake?.()
    wake = undefined
  }
  req.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (wake) settle()
    else req.pause()
  })
  req.once('end', () => {
    ended = true
    settle()
  })
  req.once('error', (error) => {
    failure = error
    settle()
  })
  req.once('close', () => {
    if (!ended) failure ??= new Error('the client closed the connection before its request was complete')
    settle()
  })

  const next = async (): Promise<IteratorResult<Buffer, undefined>> => {
    for (;;) {
      const chunk = chunks.shift()
      if (chunk) return { done: false, value: chunk }
      if (failure) throw failure
      if (ended) return { done: true, value: undefined }
      const waiting = new Promise<void>((resolve) => (wake = resolve))
      if (req.isPaused()) req.resume()
      await waiting
    }
  }
  return {
    next,
    return: () => {
      req.destroy()
      return Promise.resolve({ done: true, value: undefined })
    },
  }
}
