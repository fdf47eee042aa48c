import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pairedConnection } from './drill/paired-account'
import { PAIRED_REGION, recoveryDrill, type DrillResult, type DrillStep } from './drill/recovery-drill'
import { connectionStringOf, type LaunchStorage } from './host/launcher/launch'
import { platformClient } from './platform-client'
import { startStack, type Stack } from './stack'

const usage = `Rehearses the loss of a region on this machine: a tenant's model, its training data and its keys are lost and come back.

  npm run drill:recovery [-- --json]

  --json   prints the steps, RPO and RTO as JSON
  --help

Starts a stack of its own on free ports, with a second storage account and a second model account as the paired region, and
removes it afterwards. Nothing of a stack that runs already is touched. Ends with 0 where everything came back, else with 1.`

const PREFIX = 'drill'
/** So that a training takes seconds. */
const SPEED = 6_000

/** The command; its exit code. */
async function drillRecovery(args: readonly string[]): Promise<0 | 1> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ args: [...args], options: { json: flag, help: flag } })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const stateFolder = mkdtempSync(join(tmpdir(), 'tenantry-drill-'))
  try {
    const result = await onStack(stateFolder, (step) => {
      if (!values.json) console.log(lineOf(step))
    })
    if (values.json) console.log(JSON.stringify(result, null, 2))
    else console.log(summaryOf(result))
    return result.isWhole ? 0 : 1
  } finally {
    rmSync(stateFolder, { recursive: true, force: true })
  }
}

async function onStack(stateFolder: string, onStep: (step: DrillStep) => void): Promise<DrillResult> {
  const [port = 0, simulatorPort = 0, blobPort = 0, queuePort = 0, tablePort = 0] = await freePorts(5)
  const storage: LaunchStorage = { kind: 'azurite', blobPort, queuePort, tablePort, stateFolder }
  const connectionString = connectionStringOf(storage)
  const lines: string[] = []
  let stack: Stack | undefined
  try {
    stack = await startStack({
      port,
      simulator: { port: simulatorPort },
      storage,
      stateFolder,
      env: {
        TENANTRY_STORAGE_PREFIX: PREFIX,
        TENANTRY_TUNING_POLL_SECONDS: '1',
        TENANTRY_RECOVERY_REGION: PAIRED_REGION,
        TENANTRY_RECOVERY_STORAGE: pairedConnection(connectionString),
        AzureFunctionsJobHost__extensions__durableTask__hubName: PREFIX,
      },
      onLine: (line) => void lines.push(line),
    })
    const { baseUrl, operatorToken, simulatorUrl = '' } = stack
    await makeFast(simulatorUrl)
    const platform = platformClient(baseUrl, operatorToken)
    return await recoveryDrill({ baseUrl, simulatorUrl, platform, connectionString, storagePrefix: PREFIX }, onStep)
  } catch (error) {
    console.error(lines.slice(-20).join('\n'))
    throw error
  } finally {
    await stack?.stop()
  }
}

async function makeFast(simulatorUrl: string): Promise<void> {
  const answer = await fetch(`${simulatorUrl}/simulator/config`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fineTuning: { speed: SPEED } }),
  })
  if (!answer.ok) throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`)
}

const STEP_WIDTH = 58
const MS_WIDTH = 9
const lineOf = ({ step, ms, result }: DrillStep) =>
  `${step.padEnd(STEP_WIDTH)}${seconds(ms).padStart(MS_WIDTH)}   ${result}`

const summaryOf = ({ rpoMs, rtoMs, isWhole }: DrillResult) =>
  [
    '',
    `RPO ${seconds(rpoMs)}: of so long before the loss nothing was kept yet. In production at most the lag that raises an alert.`,
    `RTO ${seconds(rtoMs)}: from the loss to the first answer of the rebuilt model. In production the training takes the most of it.`,
    isWhole ? 'Everything came back.' : 'NOT everything came back.',
  ].join('\n')

const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`

/** Held all at once, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once('error', reject)
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

void drillRecovery(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  },
)
