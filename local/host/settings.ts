import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { isLogLevel, type LogLevel } from './log'

/** How queue triggers poll and give up; from `extensions.queues` of host.json, defaults as in the Azure extension. */
export interface QueueSettings {
  /** Messages fetched at once, 1 to 32. */
  readonly batchSize: number
  /** The next batch is fetched when at most this many are in work. */
  readonly newBatchThreshold: number
  readonly maxDequeueCount: number
  /** Pause before a failed message is tried again. */
  readonly visibilityTimeoutMs: number
  /** The longest pause between two looks at an empty queue. */
  readonly maxPollingIntervalMs: number
  readonly messageEncoding: 'base64' | 'none'
}

export interface CorsSettings {
  /** Allowed origins; `*` stands for all. Empty: no CORS answers at all. */
  readonly origins: readonly string[]
  readonly withCredentials: boolean
}

export interface HostSettings {
  readonly appFolder: string
  readonly address: string
  /** 0 takes any free port. */
  readonly port: number
  /** False: HTTP only, for further instances beside one that owns timers, queues, blobs and the task hub. */
  readonly triggers: boolean
  /** False, as in `func start`: keys are made and stored but not asked for. */
  readonly enforceKeys: boolean
  readonly logLevel: LogLevel
  readonly routePrefix: string
  readonly hubName: string
  readonly hostId: string
  readonly queues: QueueSettings
  readonly cors: CorsSettings
  /** How long what is under way may take to end after SIGTERM, before the app's appTerminate hooks run. */
  readonly stopGraceMs: number
}

const PORT_DEFAULT = 7071
const STOP_GRACE_MS_DEFAULT = 10_000
const ADDRESS_DEFAULT = '127.0.0.1'
const HUB_NAME_DEFAULT = 'TestHubName'

/**
 * Reads the command line, local.settings.json and host.json. The settings file's `Values` become environment
 * variables first, except where the environment already has one: the environment wins, as in the real host.
 * Throws an Error that names the file or option at fault.
 */
export function readSettings(argv: readonly string[], env: NodeJS.ProcessEnv): HostSettings {
  const options = readArguments(argv)
  const appFolder = path.resolve(options.app)
  const local = readJson(path.join(appFolder, 'local.settings.json'))
  for (const [name, value] of Object.entries(record(local['Values']))) env[name] ??= String(value)

  const host = resolveNames(readJson(path.join(appFolder, 'host.json')), env)
  const extensions = record(host['extensions'])
  return {
    appFolder,
    address: options.address,
    port: options.port,
    triggers: options.triggers,
    enforceKeys: options.enforceKeys,
    logLevel: options.logLevel,
    routePrefix: text(record(extensions['http'])['routePrefix'], 'api'),
    hubName: env['AzureFunctionsJobHost__extensions__durableTask__hubName'] ?? hubNameOf(extensions),
    hostId: (env['AzureFunctionsWebHost__hostid'] ?? `local-${fingerprint(appFolder)}`).toLowerCase(),
    queues: readQueues(record(extensions['queues'])),
    cors: readCors(record(local['Host'])),
    stopGraceMs: options.stopGraceMs,
  }
}

function readArguments(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      app: { type: 'string', default: '.' },
      address: { type: 'string', default: ADDRESS_DEFAULT },
      port: { type: 'string', default: String(PORT_DEFAULT) },
      'no-triggers': { type: 'boolean', default: false },
      'enable-auth': { type: 'boolean', default: false },
      'log-level': { type: 'string', default: 'information' },
      'stop-grace': { type: 'string', default: String(STOP_GRACE_MS_DEFAULT) },
    },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is not a port`)
  const stopGraceMs = Number(values['stop-grace'])
  // The launcher kills a host that takes longer than this and its hooks together.
  if (!Number.isInteger(stopGraceMs) || stopGraceMs < 0 || stopGraceMs > STOP_GRACE_MS_DEFAULT)
    throw new Error(`--stop-grace ${values['stop-grace']} is not 0 to ${STOP_GRACE_MS_DEFAULT} milliseconds`)
  const logLevel = values['log-level']
  if (!isLogLevel(logLevel)) throw new Error(`--log-level ${logLevel} is not one of the Functions log levels`)
  return {
    app: values.app,
    address: values.address,
    port,
    triggers: !values['no-triggers'],
    enforceKeys: values['enable-auth'],
    logLevel,
    stopGraceMs,
  }
}

function hubNameOf(extensions: Record<string, unknown>): string {
  const hubName = text(record(extensions['durableTask'])['hubName'], HUB_NAME_DEFAULT)
  // A hub is a part of table and container names: letters and digits, and not a digit first.
  if (!/^[A-Za-z][A-Za-z0-9]{2,44}$/.test(hubName)) {
    throw new Error(`host.json: durableTask.hubName "${hubName}" must be 3 to 45 letters and digits, a letter first`)
  }
  return hubName
}

function readQueues(queues: Record<string, unknown>): QueueSettings {
  const batchSize = Math.min(count(queues['batchSize'], 16), 32)
  return {
    batchSize,
    newBatchThreshold: count(queues['newBatchThreshold'], Math.floor(batchSize / 2)),
    maxDequeueCount: count(queues['maxDequeueCount'], 5),
    visibilityTimeoutMs: timeSpanMs(queues['visibilityTimeout'], 0),
    // The extension's own default in its Development environment; on Azure it is a minute.
    maxPollingIntervalMs: timeSpanMs(queues['maxPollingInterval'], 2_000),
    messageEncoding: text(queues['messageEncoding'], 'base64').toLowerCase() === 'none' ? 'none' : 'base64',
  }
}

function readCors(host: Record<string, unknown>): CorsSettings {
  const origins = text(host['CORS'], '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
  return { origins, withCredentials: host['CORSCredentials'] === true }
}

/** `hh:mm:ss`, `d.hh:mm:ss` with an optional fraction; absent gives the default. */
export function timeSpanMs(value: unknown, otherwiseMs: number): number {
  if (typeof value !== 'string') return otherwiseMs
  const match = /^(?:(\d+)\.)?(\d+):(\d\d):(\d\d)(?:\.(\d{1,7}))?$/.exec(value)
  if (!match) throw new Error(`host.json: "${value}" is not a time span like 00:00:02`)
  const [, days = '0', hours, minutes, seconds, fraction = '0'] = match
  const wholeSeconds = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
  return wholeSeconds * 1_000 + Math.round(Number(`0.${fraction}`) * 1_000)
}

/** Replaces `%NAME%` in every string of a JSON value by the app setting of that name; an unknown name is an error. */
export function resolveNames<T>(value: T, env: NodeJS.ProcessEnv): T {
  if (typeof value === 'string') return resolveName(value, env) as T
  if (Array.isArray(value)) return value.map((item: unknown) => resolveNames(item, env)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveNames<unknown>(item, env)])) as T
}

function resolveName(value: string, env: NodeJS.ProcessEnv): string {
  return value.replace(/%([^%]+)%/g, (_, name: string) => {
    const found = env[name]
    if (found === undefined) throw new Error(`"${value}" names the app setting ${name}, which is not set`)
    return found
  })
}

/** A short stable name for a folder (FNV-1a), so that two apps on one Azurite do not share keys and timers. */
function fingerprint(folder: string): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(folder)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

function readJson(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {}
  try {
    return record(JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')))
  } catch (error) {
    throw new Error(`${file} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

function count(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : otherwise
}
