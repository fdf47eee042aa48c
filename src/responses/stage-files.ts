import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import { parseFileId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Files, StageResult } from '../files/files'
import type { Grant } from '../inference/authorize'
import type { Renaming } from '../inference/binding'
import type { FileReference } from '../inference/references'
import type { BackendLookup } from '../inference/send-call'
import { isBackendFor, type Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import { holderOf, isSameAccount, type Holder } from './response-record'

export interface StagingDeps {
  readonly files: Pick<Files, 'stage'>
  readonly backends: () => BackendLookup | Promise<BackendLookup>
  readonly clock: Clock
}

export interface Staged {
  /** Where the files are, and so where the call goes. */
  readonly holder: Holder
  readonly renames: readonly Renaming[]
}

/** Of copies for prompts: all calls use the same one, and it goes with the file. */
const OWNER = 'prompts'
const AT_ONCE = 4
/** For an account to look through a file that it has. */
const PROCESSING_MS_MAX = 30_000

/**
 * Puts the files that a prompt names where the call will go: at the account that holds what else it names, or at the first of the
 * alias's that may serve it. Later calls find the copies there.
 */
export async function stageFiles(
  deps: StagingDeps,
  {
    scope,
    grant,
    references,
    holder,
  }: { scope: TenantScope; grant: Grant; references: readonly FileReference[]; holder: Holder | undefined },
): Promise<Staged | Problem> {
  const backend = backendFor(grant, await deps.backends(), holder)
  if (!backend) return new Problem('no_backend', 'No backend serves this model at present.')
  const distinct = [...new Map(references.map((reference) => [reference.id, reference])).values()]
  const renames: Renaming[] = []
  for (let at = 0; at < distinct.length; at += AT_ONCE) {
    const some = await Promise.all(distinct.slice(at, at + AT_ONCE).map((one) => stageOne(deps, scope, one, backend)))
    for (const one of some) {
      if (one instanceof Problem) return one
      renames.push(one)
    }
  }
  return { holder: holderOf(backend), renames }
}

async function stageOne(
  { files, clock }: StagingDeps,
  scope: TenantScope,
  { id: text, param }: FileReference,
  backend: Backend,
): Promise<Renaming | Problem> {
  const notFound = new Problem('not_found', `There is no file '${text.slice(0, 100)}'.`, { param })
  const id = parseFileId(text)
  if (!id) return notFound
  const purpose = backend.api.kind === 'azure-openai' ? 'assistants' : 'user_data'
  const deadlineMs = clock.monotonicMs() + PROCESSING_MS_MAX
  for (;;) {
    const staged: StageResult = await files.stage(scope, id, backend, { owner: OWNER, purpose })
    switch (staged.kind) {
      case 'staged':
        return { upstreamId: staged.id, ourId: id }
      case 'missing':
        return notFound
      case 'refused':
        return new Problem('invalid_request', `The model backend does not take the file '${id}' (${staged.code}).`, {
          param,
        })
      case 'processing':
      case 'unsure':
        if (clock.monotonicMs() + staged.againMs > deadlineMs) return unsure(staged)
        await clock.sleep(staged.againMs)
        break
      default:
        return assertNever(staged)
    }
  }
}

function unsure(staged: Extract<StageResult, { kind: 'processing' | 'unsure' }>): Problem {
  const internal = staged.kind === 'unsure' ? staged.detail : 'it is being processed'
  return new Problem('upstream_failed', 'A file could not be put at the model backend.', { internal })
}

/** The order in which calls try backends, but for their health: a file is put where it can be found again. */
function backendFor(
  { tenant, alias }: Grant,
  backends: BackendLookup,
  holder: Holder | undefined,
): Backend | undefined {
  for (const { members } of alias.groups) {
    for (const { backendId, weight } of members) {
      const backend = backends.get(backendId)
      if (!backend?.enabled || weight <= 0 || !isBackendFor(backend, tenant.tenantId)) continue
      if (tenant.residency.length > 0 && !tenant.residency.includes(backend.region)) continue
      if (!holder || isSameAccount(backend, holder)) return backend
    }
  }
  return undefined
}
