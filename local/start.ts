import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seedDemo, type Demo } from './demo'
import { startStack } from './stack'
import { readUpstream, type Upstream } from './upstream'

const HELP = `Starts the whole platform on this machine and makes it ready to call.

  npm start -- [options]

  --port N             the platform's port                       (7071)
  --simulator-port N   the Azure OpenAI simulator's port         (7072)
  --reset              forgets everything that earlier runs kept
  --json               prints .local/demo.json's content instead of the text
  --help

State is kept under .local/. Settings are read from local.settings.json and the environment; with
AZURE_OPENAI_ENDPOINT or OPENAI_BASE_URL a real model answers in place of the simulator.
`

const STATE_FOLDER = '.local'
/** Log lines that only the log file keeps; warnings, errors and what is no log line are shown. */
const ROUTINE = /"level":"info"/
/** Beside the default ports of Azurite, which other projects on the machine may be using with data of their own. */
const AZURITE_PORTS = { blobPort: 17_100, queuePort: 17_101, tablePort: 17_102 }

/** The simulator trains 600 times as fast as Azure, so its jobs are looked at oftener. */
const SIMULATED_PACE = { TENANTRY_TUNING_POLL_SECONDS: '2' }

interface StartOptions {
  readonly port: number
  readonly simulatorPort: number
  readonly reset: boolean
  readonly json: boolean
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return void process.stdout.write(HELP)
  const say = (text: string) => void (options.json || process.stdout.write(`${text}\n`))
  if (options.reset) rmSync(STATE_FOLDER, { recursive: true, force: true })

  mkdirSync(STATE_FOLDER, { recursive: true })
  const logFile = createWriteStream(join(STATE_FOLDER, 'host.log'))
  const settings = readSettings()
  const upstream = readUpstream(settings, `http://localhost:${options.simulatorPort}`)
  say(`Starting storage (Azurite), ${upstream.kind === 'simulator' ? 'simulator ' : ''}and Functions host …`)
  const stack = await startStack({
    port: options.port,
    simulator: upstream.kind === 'simulator' ? { port: options.simulatorPort } : undefined,
    storage: storageOf(settings, options),
    stateFolder: STATE_FOLDER,
    env: upstream.kind === 'simulator' ? { ...SIMULATED_PACE, ...settings } : settings,
    watch: true,
    onLine: (line) => {
      logFile.write(`${line}\n`)
      if (!ROUTINE.test(line)) process.stderr.write(`${line}\n`)
    },
  })

  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    say('\nStopping …')
    void stack.stop().finally(() => process.exit(0))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)

  say('Making the demo tenants …')
  const file = join(STATE_FOLDER, 'demo.json')
  const demo = await seedDemo({ ...stack, upstream, file }).catch(async (error: unknown) => {
    await stack.stop()
    throw error
  })
  if (options.json) process.stdout.write(readFileSync(file, 'utf8'))
  else say(whatToTry(demo, upstream))
}

function readOptions(): StartOptions | undefined {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '7071' },
      'simulator-port': { type: 'string', default: '7072' },
      reset: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    port: readPort('--port', values.port),
    simulatorPort: readPort('--simulator-port', values['simulator-port']),
    reset: values.reset,
    json: values.json,
  }
}

function readPort(name: string, text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Error(`${name} is ${text}; it takes a number from 1 to 65535`)
}

/** `Values` of local.settings.json, as the Functions tools read it; the environment wins. */
function readSettings(): Record<string, string> {
  const file = 'local.settings.json'
  const { Values = {} } = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { Values?: Record<string, string> })
    : {}
  const names = new Set([...Object.keys(Values), ...UPSTREAM_SETTINGS])
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = process.env[name] ?? Values[name]
      return value ? [[name, value]] : []
    }),
  )
}

const UPSTREAM_SETTINGS = [
  'AZURE_OPENAI_ENDPOINT',
  'AZURE_OPENAI_API_KEY',
  'AZURE_OPENAI_API_VERSION',
  'AZURE_OPENAI_REGION',
  'AZURE_OPENAI_CHAT_DEPLOYMENT',
  'AZURE_OPENAI_CHAT_MODEL',
  'AZURE_OPENAI_EMBEDDING_DEPLOYMENT',
  'AZURE_OPENAI_EMBEDDING_MODEL',
  'OPENAI_BASE_URL',
  'OPENAI_API_KEY',
  'OPENAI_CHAT_MODEL',
  'OPENAI_EMBEDDING_MODEL',
]

/** A second stack on other ports gets an Azurite of its own; a connection string in the settings is used as it is. */
function storageOf(settings: Record<string, string>, { port }: StartOptions) {
  const connectionString = settings['AzureWebJobsStorage']
  delete settings['AzureWebJobsStorage']
  if (connectionString && connectionString !== 'UseDevelopmentStorage=true') {
    return { kind: 'connection-string', connectionString } as const
  }
  const shift = port === 7_071 ? 0 : port - 7_071
  const ports = Object.entries(AZURITE_PORTS).map(([name, base]) => [name, shiftedPort(base, shift)])
  return {
    kind: 'azurite',
    stateFolder: join(STATE_FOLDER, 'azurite'),
    ...(Object.fromEntries(ports) as typeof AZURITE_PORTS),
  } as const
}

function shiftedPort(base: number, shift: number): number {
  return 10_000 + ((((base + shift * 3 - 10_000) % 50_000) + 50_000) % 50_000)
}

function whatToTry(demo: Demo, upstream: Upstream): string {
  const tenant = demo.tenants[1] ?? demo.tenants[0]
  const key = tenant?.apiKey ?? ''
  const list = demo.tenants
    .map(
      ({ name, tier, isolation, id }) =>
        `  ${name.padEnd(16)}${tier.padEnd(10)}${isolation.models.padEnd(16)}${isolation.data.padEnd(11)}${id}`,
    )
    .join('\n')
  return `
Tenantry is ready at ${demo.baseUrl}; ${upstream.kind === 'simulator' ? `the simulator at ${demo.simulatorUrl}` : `calls go to ${upstream.chat.endpoint}`}.

${list}

Keys and the operator's token are in .local/demo.json, log lines in .local/host.log. A first call, as ${tenant?.name}:

  curl ${demo.baseUrl}/openai/v1/chat/completions -H "api-key: ${key}" \\
    -H "content-type: application/json" \\
    -d '{"model":"chat","messages":[{"role":"user","content":"Hello"}]}'

The same with the official SDK (npm i openai), as a file hello.mjs:

  import { AzureOpenAI } from 'openai'
  const client = new AzureOpenAI({ endpoint: '${demo.baseUrl}', apiKey: '${key}', apiVersion: '2024-10-21' })
  const answer = await client.chat.completions.create({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] })
  console.log(answer.choices[0].message.content)

What it cost, by the minute:

  curl "${demo.baseUrl}/api/tenant/usage?groupBy=alias" -H "api-key: ${key}"

${
  demo.simulatorUrl === undefined
    ? ''
    : `\nMail, webhooks and events that went out (docs/notifications.md):\n\n  curl ${demo.simulatorUrl}/simulator/messages\n`
}
Ctrl-C stops everything.`
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
