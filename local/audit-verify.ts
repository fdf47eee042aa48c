import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { ChainHead } from '../src/audit/audit-entry'
import { assertNever } from '../src/base/assert'
import { createChainVerifier, faultsMax, type ChainFault, type ChainVerdict } from '../src/audit/verify-chain'

export const usage = `Verifies an audit chain: finds entries that were changed, removed, moved, added or cut off.

  npm run audit:verify -- --url URL --key KEY [--head N:HASH] [--json]
  npm run audit:verify -- --url URL --operator TOKEN (--tenant ID | --platform) [--head N:HASH] [--json]
  npm run audit:verify -- --file FILE [--end N:HASH] [--head N:HASH] [--json]

  --url URL         the platform, such as https://platform.example
  --key KEY         an API key of the tenant with audit.read; or set TENANTRY_API_KEY
  --operator TOKEN  an operator's credential; or set TENANTRY_OPERATOR_TOKEN
  --tenant ID       with --operator: which tenant's chain
  --platform        with --operator: the platform's own chain
  --file FILE       entries in JSON, one a line, as an export has them
  --end N:HASH      with --file: where the chain ends, if you know; finds what was cut off
  --head N:HASH     where the chain ended when you verified it before. Only this finds a chain that was
                    written anew from some entry on: keep the head that each verification prints
  --json            prints the verdict as JSON

Ends with 0 when the chain is sound, 1 when it is not, 2 when it could not be verified.`

export interface CommandOutput {
  readonly print: (line: string) => void
  /** For what is not the result: progress and errors. */
  readonly note: (line: string) => void
}

const PAGE_ENTRIES = 1_000
const PROGRESS_ENTRIES = 10_000
const ANSWER_MS_MAX = 60_000

/** The command; its exit code. */
export async function auditVerify(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  output: CommandOutput,
): Promise<0 | 1 | 2> {
  try {
    const options = readOptions(args, env)
    if (options === 'help') {
      output.print(usage)
      return 0
    }
    const verdict = await verify(options, output)
    if (options.json) output.print(JSON.stringify({ sound: verdict.faults.length === 0, ...verdict }))
    else report(verdict, output)
    return verdict.faults.length === 0 ? 0 : 1
  } catch (error) {
    output.note(`The chain could not be verified: ${error instanceof Error ? error.message : String(error)}`)
    return 2
  }
}

interface Options {
  readonly source:
    | { readonly kind: 'file'; readonly file: string; readonly end: ChainHead | undefined }
    | { readonly kind: 'api'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  readonly noted: ChainHead | undefined
  readonly json: boolean
}

function readOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Options | 'help' {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: text,
      key: text,
      operator: text,
      tenant: text,
      platform: flag,
      file: text,
      end: text,
      head: text,
      json: flag,
      help: flag,
    },
  })
  if (values.help) return 'help'
  const common = { noted: readHead(values.head, '--head'), json: values.json }
  if ((values.file === undefined) === (values.url === undefined))
    throw new Error('give either --url or --file; see --help')
  if (values.file !== undefined)
    return { ...common, source: { kind: 'file', file: values.file, end: readHead(values.end, '--end') } }

  const base = `${values.url?.replace(/\/+$/, '')}/api`
  if (values.tenant === undefined && !values.platform) {
    const key = values.key ?? env['TENANTRY_API_KEY']
    if (!key) throw new Error('give --key, or --operator with --tenant or --platform; see --help')
    return { ...common, source: { kind: 'api', url: `${base}/tenant/audit`, headers: { 'api-key': key } } }
  }
  const operator = values.operator ?? env['TENANTRY_OPERATOR_TOKEN']
  if (!operator) throw new Error('--tenant and --platform need --operator; see --help')
  const chain = values.platform ? 'audit' : `tenants/${encodeURIComponent(values.tenant ?? '')}/audit`
  const headers = { authorization: `Bearer ${operator}` }
  return { ...common, source: { kind: 'api', url: `${base}/platform/${chain}`, headers } }
}

function readHead(text: string | undefined, option: string): ChainHead | undefined {
  if (text === undefined) return undefined
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text)
  if (!match) throw new Error(`${option} must be a number, a colon and a hash of 64 hexadecimal digits`)
  return { sequence: Number(match[1]), hash: match[2] ?? '' }
}

async function verify({ source, noted, json }: Options, output: CommandOutput): Promise<ChainVerdict> {
  const verifier = createChainVerifier(noted)
  let taken = 0
  const take = (entry: unknown) => {
    verifier.take(entry)
    if (++taken % PROGRESS_ENTRIES === 0 && !json) output.note(`${taken} entries so far …`)
  }
  const end = source.kind === 'file' ? await takeFile(source, take) : await takePages(source, take)
  return verifier.finish(end)
}

async function takeFile(
  { file, end }: { file: string; end: ChainHead | undefined },
  take: (entry: unknown) => void,
): Promise<ChainHead | undefined> {
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity }))
    if (line.trim() !== '') take(parse(line))
  return end
}

/** A line that is no JSON is a fault of the chain, not of the command. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Reading is itself on record, so that the chain grows by an entry a page; the last page's end is the one that counts. */
async function takePages(
  { url, headers }: { url: string; headers: Readonly<Record<string, string>> },
  take: (entry: unknown) => void,
): Promise<ChainHead> {
  for (let after = 0; ;) {
    const page = await readPage(`${url}?limit=${PAGE_ENTRIES}&after=${after}`, headers)
    page.entries.forEach(take)
    if (page.next === undefined) return page.head
    if (page.next <= after) throw new Error(`${url} leads in circles`)
    after = page.next
  }
}

interface Page {
  readonly entries: readonly unknown[]
  readonly next?: number
  readonly head: ChainHead
}

async function readPage(url: string, headers: Readonly<Record<string, string>>): Promise<Page> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
  const body = (await response.json().catch(() => ({}))) as Partial<Page> & { detail?: string }
  if (!response.ok)
    throw new Error(`${new URL(url).pathname} answered ${response.status}: ${body.detail ?? 'no reason'}`)
  const { entries, head, next } = body
  if (!Array.isArray(entries) || typeof head?.sequence !== 'number' || typeof head.hash !== 'string')
    throw new Error(`${new URL(url).pathname} did not answer with a page of an audit log`)
  return { entries, head, ...(typeof next === 'number' ? { next } : {}) }
}

function report({ faults, entries, head }: ChainVerdict, { print }: CommandOutput): void {
  for (const fault of faults) print(describeFault(fault))
  if (faults.length >= faultsMax) print(`… and perhaps more: only the first ${faultsMax} are told.`)
  print(faults.length === 0 ? `The chain is sound: ${entries} entries.` : `The chain is NOT sound: ${entries} entries.`)
  print(`Its head is ${head.sequence}:${head.hash}`)
}

function describeFault(fault: ChainFault): string {
  switch (fault.kind) {
    case 'malformed':
      return `What was read as number ${fault.position} is no entry.`
    case 'changed':
      return `Entry ${fault.sequence} was changed: its hash is of another content.`
    case 'unlinked':
      return `Entry ${fault.sequence} does not follow the one before it: one of the two was put in another's place.`
    case 'missing':
      return `${span(fault)} missing.`
    case 'reordered':
      return `Entry ${fault.sequence} stands behind later ones.`
    case 'inserted':
      return `Entry ${fault.sequence} is there more than once: one was put in.`
    case 'cut-off':
      return `${span(fault)} missing: the chain was cut off there.`
    case 'added':
      return `Entry ${fault.sequence} and what follows stand behind the chain's end.`
    case 'rewritten':
      return `Entry ${fault.sequence} has another hash than was known of it: the chain was written anew up to there.`
    default:
      return assertNever(fault)
  }
}

const span = ({ sequence, last }: { sequence: number; last: number }) =>
  sequence === last ? `Entry ${sequence} is` : `Entries ${sequence} to ${last} are`
