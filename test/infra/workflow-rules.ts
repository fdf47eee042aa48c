import { parseDocument } from 'yaml'

/** A workflow of GitHub, as far as the rules look. Source: GitHub's workflow syntax. */
export interface Workflow {
  readonly name: string
  readonly on: Readonly<Record<string, { readonly inputs?: Inputs } | null>>
  readonly permissions?: Readonly<Record<string, string>>
  readonly concurrency?: unknown
  readonly jobs: Readonly<Record<string, Job>>
}
type Inputs = Readonly<Record<string, { readonly options?: readonly string[] }>>
interface Job {
  readonly 'timeout-minutes'?: number
  readonly environment?: string
  readonly permissions?: unknown
  readonly env?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}
interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
}

/** What the repository has that workflows name. */
export interface Repository {
  readonly scripts: readonly string[]
  readonly environments: readonly string[]
  readonly hasFile: (path: string) => boolean
}

/** Its own words for what is no YAML, keys given twice included. */
export function readWorkflow(text: string): Workflow | { readonly faults: readonly string[] } {
  const document = parseDocument(text)
  const faults = [...document.errors, ...document.warnings].map(({ message }) => message)
  return faults.length > 0 ? { faults } : (document.toJS() as Workflow)
}

export const stepsOf = (workflow: Workflow) => Object.values(workflow.jobs).flatMap(({ steps }) => steps)

/** Only the workflow that signs in to Azure gets a token to do it with; nobody writes to the repository. */
const permissionsOf = (file: string) =>
  file === 'deploy.yml' ? { contents: 'read', 'id-token': 'write' } : { contents: 'read' }

/** Every fault of a workflow, in words; none where it keeps the rules. */
export function faultsOf(file: string, text: string, repository: Repository): string[] {
  const workflow = readWorkflow(text)
  if ('faults' in workflow) return [...workflow.faults]
  return [
    ...faultsOfRights(file, workflow),
    ...Object.entries(workflow.jobs).flatMap(([name, job]) => faultsOfJob(name, job, workflow, repository)),
    ...stepsOf(workflow).flatMap((step) => faultsOfStep(step, repository)),
  ]
}

function faultsOfRights(file: string, { permissions, jobs, concurrency }: Workflow): string[] {
  const wanted = JSON.stringify(permissionsOf(file))
  const own = Object.entries(jobs).filter(([, job]) => job.permissions !== undefined)
  return [
    ...(JSON.stringify(permissions) === wanted ? [] : [`the permissions are not ${wanted}`]),
    ...own.map(([name]) => `${name} has permissions of its own`),
    ...(concurrency === undefined ? ['two runs may go on at once'] : []),
  ]
}

function faultsOfJob(name: string, job: Job, { on }: Workflow, { environments }: Repository): string[] {
  const faults = job['timeout-minutes'] === undefined ? [`${name} has no timeout`] : []
  const usesSecrets = JSON.stringify(job).includes('secrets.')
  if (usesSecrets && job.environment !== '${{ inputs.environment }}')
    faults.push(`${name} takes secrets, and of no environment`)
  const offered = on['workflow_dispatch']?.inputs?.['environment']?.options?.join()
  if (offered !== undefined && offered !== environments.join()) faults.push(`${name} offers ${offered}`)
  return faults
}

function faultsOfStep({ uses, run = '', with: options }: Step, { scripts, hasFile }: Repository): string[] {
  const faults: string[] = []
  if (uses !== undefined && !/^[\w.-]+\/[\w./-]+@(?:v\d+(?:\.\d+)*|[0-9a-f]{40})$/.test(uses))
    faults.push(`${uses} may become anything`)
  if (uses?.startsWith('actions/checkout@') && options?.['persist-credentials'] !== false)
    faults.push('the checkout leaves its token to whatever runs next')
  // An expression becomes part of the script before a shell reads it: who names a branch could write a command.
  if (run.includes('${{')) faults.push(`an expression in "${run}"`)
  for (const [, script = ''] of run.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g))
    if (!scripts.includes(script)) faults.push(`there is no npm run ${script}`)
  for (const [, path = ''] of run.matchAll(/^\s*(?:node|bash|sh) ([\w./-]+)/gm))
    if (!hasFile(path)) faults.push(`there is no ${path}`)
  return faults
}
