import { Problem } from '../../base/problem'
import { done } from '../../checklists/checklist'
import { allConsent, objected, onBuild, type BuildRun } from '../build-run'
import { failed } from '../fail-build'
import { rankOf } from '../line-sample'
import { contentHashOf } from '../sample-tenant'
import { capFor, shareMaxOf } from '../share-cap'
import { fileOf, type Contributor, type SharedModel } from '../shared-model'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'
import { createTurns } from '../turns'

/** Of the file that is trained on; Azure takes twice as much, and files of 100 MB and more by another way. */
const MERGED_BYTES_MAX = 96 * 1024 * 1024
/** Held in memory at one time while lines are mixed. */
const MIXED_BYTES = 16 * 1024 * 1024
/** The least that can be trained on (azure-facts 3.3). */
const EXAMPLES_MIN = 10

/** One file of all contributors' lines, mixed, in which nobody's part is larger than `shareMaxOf` says. */
export const mergeStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'merge',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async (run) => {
    const { id, owner } = run
    if (!(await allConsent(deps, run))) return objected
    const model = run.model.merged ? run.model : await choose(deps, run)
    const { merged, order } = model
    if (!merged) return done()
    if (merged.tenants < order.tenantsMin) return failed(deps, id, tooFewLeft(merged.tenants, order.tenantsMin))
    if (merged.examples < EXAMPLES_MIN) return failed(deps, id, tooLittle(merged.examples))
    const file = await deps.files.create(
      owner,
      { id: fileOf(id), filename: 'examples.jsonl', purpose: 'fine-tune', createdBy: undefined },
      mixed(deps, { ...run, model }),
    )
    if (file instanceof Problem) return failed(deps, id, file)
    await deps.bench.clear(owner)
    return done({ examples: String(merged.examples), contributors: String(merged.tenants) })
  }),
})

/** How much of each is taken, kept before the file is made: whoever repeats it makes the same. */
async function choose({ bench, models }: SharedModelDeps, { id, model, owner }: BuildRun): Promise<SharedModel> {
  const sizes = model.contributors.flatMap(({ cleaned }) => (cleaned && cleaned.bytes > 0 ? [cleaned.bytes] : []))
  const cap = Math.min(
    capFor(sizes, shareMaxOf(sizes.length)),
    Math.floor(MERGED_BYTES_MAX / Math.max(1, sizes.length)),
  )
  const contributors: Contributor[] = []
  for (const contributor of model.contributors) {
    const { tenantId, cleaned } = contributor
    const all = tenantId && cleaned?.examples ? await bench.lines(owner, { what: 'cleaned', tenantId }) : []
    const taken = within(all, cap)
    const part = { examples: taken.length, bytes: bytesOf(taken), contentHash: contentHashOf(taken) }
    contributors.push({ ...contributor, ...(taken.length > 0 ? { part } : {}) })
  }
  const parts = contributors.flatMap(({ part }) => part ?? [])
  const merged = {
    tenants: parts.length,
    examples: parts.reduce((sum, { examples }) => sum + examples, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  }
  const next = await models.change(id, (before) => (before.merged ? before : { ...before, merged, contributors }))
  return next ?? model
}

const lineBytes = (line: string) => Buffer.byteLength(line) + 1
const bytesOf = (lines: readonly string[]) => lines.reduce((bytes, line) => bytes + lineBytes(line), 0)

/** Lines come in the order of chance, so their beginning is a sample of them. */
function within(lines: readonly string[], bytesMax: number): readonly string[] {
  let bytes = 0
  const end = lines.findIndex((line) => (bytes += lineBytes(line)) > bytesMax)
  return end < 0 ? lines : lines.slice(0, end)
}

const RANKS = 2 ** 32

/**
 * All lines in the order of their ranks, which says nothing of whose they are. The ranks are gone through in spans that hold about
 * `MIXED_BYTES`, each of which reads everything again: time for memory.
 */
async function* mixed({ bench, clock }: SharedModelDeps, { id, model, owner }: BuildRun): AsyncGenerator<Buffer> {
  const turn = createTurns(clock)
  const spans = Math.max(1, Math.ceil((model.merged?.bytes ?? 0) / MIXED_BYTES))
  for (let span = 0; span < spans; span++) {
    const lines: { rank: number; line: string }[] = []
    for (const { tenantId, part } of model.contributors) {
      if (!tenantId || !part) continue
      const all = await bench.lines(owner, { what: 'cleaned', tenantId })
      for (const line of all.slice(0, part.examples)) {
        const rank = rankOf(`${id} mixed`, line)
        if (Math.floor((rank / RANKS) * spans) === span) lines.push({ rank, line })
        await turn()
      }
    }
    lines.sort((a, b) => a.rank - b.rank || (a.line < b.line ? -1 : 1))
    for (const { line } of lines) yield Buffer.from(`${line}\n`)
  }
}

const tooFewLeft = (left: number, tenantsMin: number) =>
  new Problem(
    'too_few_consents',
    `Examples of ${left} tenants are left when whatever identifies somebody is removed; ${tenantsMin} are needed.`,
  )

const tooLittle = (examples: number) =>
  new Problem(
    'conflict',
    `${examples} examples are left when whatever identifies somebody is removed; ${EXAMPLES_MIN} are needed.`,
  )
