import { done } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import { onBuild } from '../build-run'
import { noteWords, WordTally } from '../common-words'
import { exampleOf } from '../shared-example'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'
import { tenantTerms } from '../tenant-terms'
import type { Term } from '../terms'
import { createTurns } from '../turns'

/** Counts which words enough tenants use, and gathers the terms of all of them: one may name another. */
export const wordsStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'words',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async ({ id, model, owner }) => {
    if (model.commonWords !== undefined) return done()
    const tally = new WordTally()
    const terms: Term[] = []
    const turn = createTurns(deps.clock)
    for (const { tenantId } of model.contributors) {
      if (!tenantId) continue
      const words = new Set<string>()
      for (const line of await deps.bench.lines(owner, { what: 'sample', tenantId })) {
        noteWords(exampleOf(line), words)
        await turn()
      }
      tally.add(words)
      const scope = TenantScope.ofPlatform(tenantId)
      const record = await deps.tenants.get(scope)
      if (record) terms.push(...tenantTerms(record, await deps.consents.current(scope, model.order.purposeId)))
    }
    await deps.bench.putTerms(owner, terms)
    const commonWords = await deps.bench.putWords(owner, tally.common(model.order.tenantsMin))
    await deps.models.change(id, (before) => ({ ...before, commonWords }))
    return done({ commonWords: String(commonWords) })
  }),
})
