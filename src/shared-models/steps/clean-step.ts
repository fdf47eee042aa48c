import type { TenantId } from '../../base/ids'
import { done } from '../../checklists/checklist'
import { onBuild, type BuildRun } from '../build-run'
import { commonExample } from '../common-words'
import { identifies } from '../remove-identifiers'
import type { Contributor } from '../shared-model'
import { exampleOf, sharedLine, type LeftOut } from '../shared-example'
import { withContributor } from '../shared-models'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'
import { createTerms, type Terms } from '../terms'
import { createTurns } from '../turns'

/** Leaves common words only, then looks through each example once more; one in which anything is found is left out. One tenant a run. */
export const cleanStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'clean',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async (run) => {
    const { id, model, owner } = run
    const next = model.contributors.find(({ cleaned }) => cleaned === undefined)
    if (!next?.tenantId) return done()
    const { tenantId } = next
    const { lines, leftOut } = await cleanedLines(deps, run, tenantId)
    await deps.bench.putLines(owner, { what: 'cleaned', tenantId }, lines)
    const cleaned: Contributor['cleaned'] = { examples: lines.length, bytes: bytesOf(lines), leftOut }
    await deps.models.change(id, (before) => withContributor(before, tenantId, (each) => ({ ...each, cleaned })))
    return { kind: 'not-yet', againAfterMs: 0 }
  }),
})

async function cleanedLines({ bench, clock }: SharedModelDeps, { owner }: BuildRun, tenantId: TenantId) {
  const common = await bench.words(owner)
  const terms = createTerms(await bench.terms(owner))
  const turn = createTurns(clock)
  const lines = new Set<string>()
  const counts = new Map<LeftOut, number>()
  for (const sampled of await bench.lines(owner, { what: 'sample', tenantId })) {
    const line = cleanedLine(sampled, common, terms)
    const why = line.kind === 'left-out' ? line.why : lines.has(line.text) ? 'repeated' : undefined
    if (why) counts.set(why, (counts.get(why) ?? 0) + 1)
    else if (line.kind === 'line') lines.add(line.text)
    await turn()
  }
  return { lines: [...lines], leftOut: Object.fromEntries(counts) }
}

type Cleaned =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'left-out'; readonly why: 'uncommon' | 'residual' }

function cleanedLine(sampled: string, common: ReadonlySet<string>, terms: Terms): Cleaned {
  const example = commonExample(exampleOf(sampled), common)
  if (!example) return { kind: 'left-out', why: 'uncommon' }
  return identifies(example, terms)
    ? { kind: 'left-out', why: 'residual' }
    : { kind: 'line', text: sharedLine(example) }
}

const bytesOf = (lines: readonly string[]) => lines.reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0)
