const { spawn } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')
const { join } = require('node:path')

const ACCOUNT = 'devstoreaccount1'
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
/** A second account, for what tenants have in accounts of their own. */
const TENANT_ACCOUNT = 'tenantaccount1'
const TENANT_KEY = Buffer.alloc(64, 'tenant').toString('base64')
/** By the working folder, the project's: benchmarks run this from a bundle that is elsewhere. */
const PRELOAD = join(process.cwd(), 'local', 'host', 'launcher', 'azurite-preload')
const READY_MS_MAX = 120_000

/** Starts one Azurite in memory on free ports and hands its address to every test worker by the environment. */
module.exports = async () => {
  const [blob, queue, table] = await Promise.all([freePort(), freePort(), freePort()])
  const azurite = spawn(
    process.execPath,
    [
      '--require',
      PRELOAD,
      require.resolve('azurite/dist/src/azurite.js'),
      '--inMemoryPersistence',
      '--silent',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      ...['--blobPort', blob, '--queuePort', queue, '--tablePort', table].map(String),
    ],
    {
      stdio: 'ignore',
      env: { ...process.env, AZURITE_ACCOUNTS: `${ACCOUNT}:${KEY};${TENANT_ACCOUNT}:${TENANT_KEY}` },
    },
  )
  azurite.on('exit', (code) => {
    if (code) console.error(`Azurite ended with code ${code}`)
  })
  await Promise.all([blob, queue, table].map((port) => listening(port, Date.now() + READY_MS_MAX)))
  globalThis.__azurite = azurite
  const connectionString = (account, key) =>
    [
      'DefaultEndpointsProtocol=http',
      `AccountName=${account}`,
      `AccountKey=${key}`,
      `BlobEndpoint=http://127.0.0.1:${blob}/${account}`,
      `QueueEndpoint=http://127.0.0.1:${queue}/${account}`,
      `TableEndpoint=http://127.0.0.1:${table}/${account}`,
      '',
    ].join(';')
  process.env.TEST_STORAGE = connectionString(ACCOUNT, KEY)
  process.env.TEST_TENANT_STORAGE = connectionString(TENANT_ACCOUNT, TENANT_KEY)
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port, deadline) {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1')
    const open = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (open) return
    if (Date.now() > deadline) throw new Error(`Azurite did not open port ${port} within ${READY_MS_MAX} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
