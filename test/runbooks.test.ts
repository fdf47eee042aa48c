import { readFileSync } from 'node:fs'
import { alertKinds } from '../src/alerts/alert-kinds'
import type { OpenApiDocument } from '../src/http/openapi-document'
import { createBackend, createTenant, expectStatus } from './functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from './functions/control-plane-server'

const page = (name: string) => readFileSync(`docs/runbooks/${name}.md`, 'utf8')
const pages = { alerts: page('alerts'), incidents: page('incidents'), 'key-rotation': page('key-rotation') }

/** By its heading, each with what stands below it. */
const sections = (text: string) =>
  [...text.matchAll(/^### (.+)\n([^]*?)(?=^### |$(?![^]))/gm)].map(([, title = '', body = '']) => ({ title, body }))

interface Command {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: unknown
  readonly headers: Record<string, string>
}

/** Calls of `api`, of the text or in a block of commands. */
function commandsIn(text: string): Command[] {
  const lines = [...text.matchAll(/(?:^|`)(api [^`\n]*)/gm)].map(([, line = '']) => line)
  return lines.map((line) => {
    const [, path = '', query = ''] = /\$BASE(\/[^\s?"'`]*)(?:\?([^\s"'`]*))?/.exec(line) ?? []
    const [, data] = /-d '([^']*)'/.exec(line) ?? []
    const method = /-X (\w+)/.exec(line)?.[1] ?? (data === undefined ? 'GET' : 'POST')
    const [, tag] = /-H 'If-Match: ([^']*)'/.exec(line) ?? []
    const headers: Record<string, string> = tag === undefined ? {} : { 'if-match': tag }
    return { method, path, query, body: data === undefined ? undefined : (JSON.parse(data) as unknown), headers }
  })
}

let server: ControlPlaneServer
let document: OpenApiDocument
let names: Readonly<Record<string, string>>
beforeAll(async () => {
  server = await serveControlPlane()
  document = expectStatus(await server.send('GET', '/api/openapi.json'), 200).body
  const body = '0'.repeat(26)
  names = {
    BACKEND: await createBackend(server),
    TENANT: (await createTenant(server)).tenantId,
    ALERT: 'recovery-lag',
    OPERATION: `krt_${body}`,
    SHARED: `shm_${body}`,
    MODEL: `mdl_${body}`,
    SUBSCRIPTION: `sub_${body}`,
    LETTER: `dlv_${body}`,
  }
})
afterAll(() => server.close())

it('every kind of alert has a runbook, which says what it means, what to check, what to do and when to escalate, and no other has', () => {
  const found = sections(pages.alerts)
  expect(found.map(({ title }) => title).toSorted()).toEqual(Object.keys(alertKinds).toSorted())
  for (const { title, body } of found) {
    expect([title, body.split('\n')[0]]).toEqual([title, alertKinds[title as keyof typeof alertKinds]])
    for (const part of ['Check', 'Do', 'Escalate'])
      expect([title, body]).toEqual([title, expect.stringContaining(`**${part}**`)])
  }
})

it('every incident that is written of says what to do', () => {
  const found = sections(pages.incidents)
  expect(found.length).toBeGreaterThan(7)
  expect(found.filter(({ body }) => body.length < 200)).toEqual([])
})

it('links between the pages lead somewhere', () => {
  const anchors = Object.entries(pages).flatMap(([name, text]) =>
    sections(text).map(
      ({ title }) =>
        `${name}.md#${title
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-')}`,
    ),
  )
  const all = [...Object.values(pages), readFileSync('docs/alerts.md', 'utf8')].join('\n')
  const used = [...all.matchAll(/\]\((?:runbooks\/)?((?:alerts|incidents|key-rotation)\.md#[^)]+)\)/g)].map(
    ([, link]) => link,
  )
  expect(used.length).toBeGreaterThan(3)
  expect(used.filter((link) => !anchors.includes(link ?? ''))).toEqual([])
})

describe.each(Object.entries(pages))('%s', (_name, text) => {
  it('names endpoints and methods that there are', () => {
    const known = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '{}')}`),
    )
    const calls = commandsIn(text).map(({ method, path }) => `${method} ${path.replaceAll(/\$[A-Z]+/g, '{}')}`)
    const told = [...text.matchAll(/`(GET|PUT|POST|PATCH|DELETE) (\/api\/[^\s`?]*)/g)].map(
      ([, method, path = '']) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`,
    )
    expect(calls.length).toBeGreaterThan(2)
    expect([...calls, ...told].filter((call) => !known.includes(call))).toEqual([])
  })

  it('has commands that are understood as they stand', async () => {
    for (const { method, path, query, body, headers } of commandsIn(text)) {
      const filled = (part: string) => part.replaceAll(/\$([A-Z]+)/g, (_, name: string) => names[name] ?? `no ${name}`)
      const url = filled(path) + (query ? `?${filled(query)}` : '')
      const reply = await server.operate(method, url, body, headers)
      // What is not there is not found, and a key is not rotated of an account that Azure does not have: anything but misunderstood.
      expect([method, url, [200, 201, 202, 204, 404, 409].includes(reply.status) || reply.text]).toEqual([
        method,
        url,
        true,
      ])
    }
  })
})
