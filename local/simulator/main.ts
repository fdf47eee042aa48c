import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { SimulatorConfigInput } from './config'
import { ConfigError } from './config-error'
import { startSimulator } from './simulator'

const DEFAULT_PORT = 7_072

const help = `Azure OpenAI simulator

Usage: node dist/local/simulator.js [options]

  --port N         port to listen on (default ${DEFAULT_PORT}; 0 takes a free one)
  --host ADDRESS   address to listen on (default 127.0.0.1)
  --config FILE    JSON file in place of the default resource
  --seed N         what generated texts are drawn from, in place of the configuration's seed
  --state FILE     keeps what is made through Resource Manager, and Entra's key, for the next start
  --storage-blob-url URL, --storage-queue-url URL, --storage-table-url URL
                   where storage accounts' services are (Azurite), each without the account's name
  --help           this text

Serves, with key "simulator-key" unless configured:
  /openai/deployments/{name}/… ?api-version=…, /openai/v1/… and /compatible/v1/…, each with
    chat/completions, completions, embeddings, images/generations | edits, audio/transcriptions | translations | speech
  /openai/… ?api-version=…, /openai/v1/… and /compatible/v1/…, each with
    responses, files, uploads, batches, fine_tuning/jobs, models
  /accounts/{name}/… the same for one account that was made through Resource Manager
Resource Manager under /subscriptions/…
Entra ID under /entra/{directory}: oauth2/v2.0/token, discovery/v2.0/keys, v2.0/.well-known/openid-configuration
Looks and control:
  GET /simulator/health      GET|PATCH /simulator/config      POST /simulator/reset
  GET /simulator/ledger?since=N&limit=N      DELETE /simulator/ledger      GET /simulator/stored
  GET /simulator/costs      POST /simulator/advance {"trainingSeconds":N,"hostingSeconds":N}
A message can ask for what it needs: [[tokens:N]] [[reasoning:N]] [[echo:text]] [[bytes:N]]
  [[filter:prompt|jailbreak|completion]] [[fault:KIND]] [[fault:KIND@deployment,deployment]]
`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      config: { type: 'string' },
      seed: { type: 'string' },
      state: { type: 'string' },
      'storage-blob-url': { type: 'string' },
      'storage-queue-url': { type: 'string' },
      'storage-table-url': { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) {
    process.stdout.write(help)
    return
  }
  const simulator = await startSimulator({
    port: wholeNumber('--port', values.port, 65_535) ?? DEFAULT_PORT,
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(values.config === undefined ? {} : { config: readConfigFile(values.config) }),
    storage: {
      ...urlOf('blob', values['storage-blob-url']),
      ...urlOf('queue', values['storage-queue-url']),
      ...urlOf('table', values['storage-table-url']),
    },
    ...(values.state === undefined ? {} : { stateFile: values.state }),
    ...(values.seed === undefined ? {} : { seed: wholeNumber('--seed', values.seed, Number.MAX_SAFE_INTEGER) ?? 0 }),
  })
  process.stdout.write(`simulator: listening on ${simulator.url}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void simulator.close())
  }
}

function wholeNumber(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value
  throw new ConfigError([`${option}: expected a whole number from 0 to ${max}, got "${text}"`])
}

function urlOf(service: 'blob' | 'queue' | 'table', text: string | undefined): Record<string, string> {
  if (text === undefined) return {}
  const protocol = URL.parse(text)?.protocol
  if (protocol === 'http:' || protocol === 'https:') return { [service]: text.replace(/\/+$/, '') }
  throw new ConfigError([`--storage-${service}-url: expected an http(s) URL, got "${text}"`])
}

/** The file's shape is checked when the simulator starts, together with everything else in it. */
function readConfigFile(file: string): SimulatorConfigInput {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SimulatorConfigInput
  } catch (error) {
    throw new ConfigError([`--config: expected a JSON file: ${error instanceof Error ? error.message : String(error)}`])
  }
}

main().catch((error: unknown) => {
  const text = error instanceof ConfigError ? error.faults.map((fault) => `  ${fault}`).join('\n') : error
  console.error('simulator: cannot start:\n', text)
  process.exitCode = 1
})
