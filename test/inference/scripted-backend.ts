import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Backend } from '../../src/routing/backend'

/** A model server on a real socket that does what a test tells it, call by call. */
export interface ScriptedBackend {
  readonly backend: Backend
  /** Bodies of the calls that have come. */
  readonly calls: readonly string[]
  /** Answers whose connection was closed from the other side before they were whole. */
  readonly cutOff: number
  /** Resolves when so many answers have been cut off. */
  whenCutOff(count: number): Promise<void>
  close(): Promise<void>
}

export type Script = (response: ServerResponse, request: IncomingMessage) => void

export async function scriptedBackend(
  name: string,
  script: Script,
  more: Partial<Backend> = {},
): Promise<ScriptedBackend> {
  const calls: string[] = []
  const sockets = new Set<Socket>()
  let cutOff = 0
  let onCut = () => {}
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    response.on('close', () => {
      if (response.writableFinished) return
      cutOff += 1
      onCut()
    })
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      calls.push(Buffer.concat(pieces).toString())
      script(response, request)
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    backend: {
      id: `bke_${name}`,
      name,
      api: { kind: 'openai-compatible' },
      endpoint: `http://127.0.0.1:${port}`,
      deployment: name,
      credential: { kind: 'none' },
      region: 'swedencentral',
      capacity: 'payg',
      enabled: true,
      ...more,
    },
    calls,
    get cutOff() {
      return cutOff
    },
    whenCutOff: (count) =>
      new Promise((resolve) => {
        onCut = () => cutOff >= count && resolve()
        onCut()
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

export const json = (status: number, body: object, headers: Record<string, string> = {}): Script => {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
}

/** An event stream of these events, which ends. */
export const events = (...list: readonly (object | string)[]): Script => {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of list) response.write(eventOf(event))
    response.end()
  }
}

/** An event stream of these events, which then says nothing more. */
export const eventsThenSilence = (...list: readonly (object | string)[]): Script => {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    for (const event of list) response.write(eventOf(event))
  }
}

export const eventOf = (event: object | string) =>
  `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`

export const silence: Script = () => {}

export const breakOff: Script = (response) => void response.socket?.destroy()

/** One after the other, the last for all that follow. */
export const inTurn = (...scripts: readonly Script[]): Script => {
  let at = 0
  return (response, request) => scripts[Math.min(at++, scripts.length - 1)]?.(response, request)
}

export const token = (content: string) => ({ choices: [{ index: 0, delta: { content } }] })
export const promptFilter = { choices: [], prompt_filter_results: [{ prompt_index: 0 }] }
export const streamed = (text: string) => events(promptFilter, token(text), '[DONE]')
