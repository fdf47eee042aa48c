import { idBody, parseBackendId, type BackendId } from '../base/ids'

/** `{base}.ft-{26}[-suffix]`: the name by which a tuned model's own alias goes (registry/model-version.ts). */
const NAME = new RegExp(`\\.ft-(${idBody})(?:-|$)`)

/** The backend that a tuned model's own alias leads to, whose id has the model's body; undefined for any other alias. */
export function tunedBackendOf(alias: string): BackendId | undefined {
  const [, body] = NAME.exec(alias) ?? []
  return body === undefined ? undefined : parseBackendId(`bke_${body}`)
}

/** Such an alias is the platform's to make: it has no deployment of the record's, and leads to its own model alone. */
export function isTunedAlias({ name, groups }: { name: string; groups: readonly Group[] }): boolean {
  const own = tunedBackendOf(name)
  const members = groups.flatMap((group) => group.members)
  return own !== undefined && members.length === 1 && members[0]?.backendId === own
}

interface Group {
  readonly members: readonly { readonly backendId: BackendId }[]
}
