import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { eventually } from '../../conformance/eventually'
import { freshNames, type RunningHost, startHost, type StartOptions } from '../../conformance/start-host'

/** A file of the app's folder that lets its call end. */
const RELEASE = 'release'
const ROOT = path.resolve(__dirname, '../../..')
const hosts: RunningHost[] = []
const folders: string[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()))
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function start(options: StartOptions = {}): Promise<RunningHost> {
  const host = await startHost(options)
  hosts.push(host)
  return host
}

/** An app of one file, inside the project so that it finds its packages. */
function appOf(code: string, files: Record<string, object> = {}): string {
  const folder = mkdtempSync(path.join(ROOT, 'dist/host-app-'))
  folders.push(folder)
  writeFileSync(path.join(folder, 'app.js'), `const { app } = require('@azure/functions')\n${code}`)
  const all = { 'package.json': { main: 'app.js' }, ...files }
  for (const [name, content] of Object.entries(all)) writeFileSync(path.join(folder, name), JSON.stringify(content))
  return folder
}

/** What comes back for bytes sent as they are, until the host closes or `until` is seen. */
function exchange(host: RunningHost, bytes: string, until: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(host.baseUrl).port), '127.0.0.1', () => socket.write(bytes))
    let answer = ''
    socket.on('data', (data) => {
      answer += data.toString()
      if (until.test(answer)) socket.destroy()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

describe('the host in front of an app', () => {
  it('aborts an answer whose body breaks, so that nobody takes half of it for the whole', async () => {
    const host = await start()
    const answer = await fetch(`${host.baseUrl}/api/breaks`)

    await expect(answer.text()).rejects.toThrow('terminated')
    expect((await fetch(`${host.baseUrl}/api/plain`)).status).toBe(200)
  })

  it('refuses a malformed Host header before the app sees it', async () => {
    const host = await start()
    const answer = await exchange(host, 'GET /api/plain HTTP/1.1\r\nHost: a b/c\r\n\r\n', /\r\n\r\n/)

    expect(answer).toMatch(/^HTTP\/1\.1 400/)
  })

  it('does not believe the headers by which it speaks with the library', async () => {
    const host = await start()
    const answer = await fetch(`${host.baseUrl}/api/echo`, {
      method: 'POST',
      body: 'x',
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'ftp', 'x-ms-invocation-id': 'mine' },
    })

    expect(((await answer.json()) as { url: string }).url).toBe(`${host.baseUrl}/api/echo`)
    expect(answer.headers.get('x-ms-invocation-id')).not.toBe('mine')
  })

  it('serves an app without streaming, cookies and bodies included', async () => {
    const appFolder = appOf(`
      app.http('echo', { methods: ['POST'], handler: async (request) => ({
        status: 201, body: await request.text(), headers: { 'x-from': request.query.get('a') },
        cookies: [{ name: 'c', value: 'v', sameSite: 'Strict', maxAge: 5 }, { name: 'd', value: 'w' }] }) })
      app.http('nothing', { methods: ['GET'], handler: () => {} })
      app.http('throws', { methods: ['GET'], handler: () => { throw new Error('on purpose') } })`)
    const host = await start({ appFolder })
    const answer = await fetch(`${host.baseUrl}/api/echo?a=1`, { method: 'POST', body: 'grüße' })

    expect([answer.status, answer.headers.get('x-from'), await answer.text()]).toEqual([201, '1', 'grüße'])
    expect(answer.headers.getSetCookie()).toEqual(['c=v; Max-Age=5; SameSite=Strict', 'd=w'])
    expect((await fetch(`${host.baseUrl}/api/nothing`)).status).toBe(204)
    expect((await fetch(`${host.baseUrl}/api/throws`)).status).toBe(500)
  })

  it('takes settings and allowed origins from local.settings.json, and the environment wins', async () => {
    const appFolder = appOf(
      `app.http('which', { methods: ['GET'], handler: () => ({ jsonBody: [process.env.ONE, process.env.TWO] }) })`,
      {
        'local.settings.json': { Values: { ONE: 'file', TWO: 'file' }, Host: { CORS: 'https://good.example' } },
        'host.json': { extensions: { http: { routePrefix: '' } } },
      },
    )
    const host = await start({ appFolder, env: { TWO: 'environment' } })
    const from = (origin: string, init: RequestInit = {}) =>
      fetch(`${host.baseUrl}/which`, { ...init, headers: { origin, 'access-control-request-method': 'GET' } })

    const good = await from('https://good.example')
    expect(await good.json()).toEqual(['file', 'environment'])
    expect(good.headers.get('access-control-allow-origin')).toBe('https://good.example')
    expect((await from('https://bad.example')).headers.get('access-control-allow-origin')).toBeNull()
    expect((await from('https://good.example', { method: 'OPTIONS' })).status).toBe(204)
  })
})

describe('an app that cannot be served as it is', () => {
  it.each([
    ['names a setting that is not set', `app.storageQueue('q', { queueName: '%NOT_SET%', handler() {} })`, 'NOT_SET'],
    [
      'has two functions on one route',
      `for (const n of ['a', 'b']) app.http(n, { route: 'r', handler() {} })`,
      'share',
    ],
    ['has a trigger that the host lacks', `app.eventGrid('e', { handler() {} })`, 'eventGridTrigger'],
    ['has an invalid schedule', `app.timer('t', { schedule: 'now and then', handler() {} })`, 'now and then'],
  ])('because it %s ends the host with a message that says so', async (_why, code, message) => {
    await expect(startHost({ appFolder: appOf(code) })).rejects.toThrow(message)
  })
})

describe('a host that is asked to stop', () => {
  it('finishes the call that it is serving, takes no new one, runs the hooks of the app and exits with 0', async () => {
    const appFolder = appOf(`
      app.setup({ enableHttpStream: true })
      app.hook.appTerminate(() => console.log('terminated after ' + served))
      let served = 0
      app.http('slow', { handler: async () => {
        console.log('has come')
        while (!require('node:fs').existsSync('${RELEASE}')) await new Promise((resolve) => setTimeout(resolve, 10))
        served++; return { body: 'done' } } })`)
    const host = await start({ appFolder })
    const call = fetch(`${host.baseUrl}/api/slow`)
    await eventually('the call is served', async () => host.output().includes('has come') || undefined)
    const stopped = host.stop()
    const refuses = () => fetch(`${host.baseUrl}/api/none`).then(() => undefined, String)
    expect(await eventually('no new call is taken', refuses)).toContain('fetch failed')
    writeFileSync(path.join(appFolder, RELEASE), '')

    expect(await (await call).text()).toBe('done')
    expect(await stopped).toBe(0)
    expect(host.output()).toContain('terminated after 1')
  })

  it('ends all the same when the hooks of the app do not, and says that they were not through', async () => {
    const appFolder = appOf(`
      app.http('one', { handler: () => ({}) })
      app.hook.appTerminate(() => new Promise(() => {}))`)
    const host = await start({ appFolder })
    expect(await host.stop()).toBe(0)
    expect(host.output()).toContain('appTerminate hooks were not through after 5000 ms')
  })
})

describe('several hosts', () => {
  it('without triggers serve HTTP only, and say so where durable functions are asked for', async () => {
    const host = await start({ localOptions: ['--no-triggers'] })

    expect((await fetch(`${host.baseUrl}/api/plain`)).status).toBe(200)
    expect((await fetch(`${host.baseUrl}/runtime/webhooks/durabletask/instances`)).status).toBe(503)
    const byHand = await fetch(`${host.baseUrl}/admin/functions/yearly`, { method: 'POST', body: '{"input":""}' })
    expect(byHand.status).toBe(400)
  })

  it('on one task hub: the younger takes it over, and the older ends', async () => {
    const env = freshNames()
    const older = await start({ env })
    const younger = await start({ env })

    await eventually('the older host has ended', () =>
      fetch(`${older.baseUrl}/api/plain`).then(
        () => undefined,
        () => true,
      ),
    )
    expect(await older.stop()).toBe(3)
    const answer = await fetch(`${younger.baseUrl}/api/run/chain`, { method: 'POST', body: 'null' })
    expect(await answer.json()).toMatchObject({ first: 'said a' })
  })

  it('ask for the system key at the durable API when keys are asked for', async () => {
    const host = await start({ enforceKeys: true })

    expect((await fetch(`${host.baseUrl}/runtime/webhooks/durabletask/instances`)).status).toBe(401)
    const answer = await fetch(`${host.baseUrl}/api/start/chain/k1`, { method: 'POST', body: 'null' })
    const { statusQueryGetUri } = (await answer.json()) as { statusQueryGetUri: string }
    expect([200, 202]).toContain((await fetch(statusQueryGetUri)).status)
  })
})
