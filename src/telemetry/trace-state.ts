/**
 * What the tracing systems on a trace's way keep of it (W3C Trace Context, `tracestate`): members `key=value`, the latest first. We have
 * none of our own and pass the others' on.
 */
const MEMBERS_MAX = 32
/** As many as everybody must pass on at least; of a longer one large members go first, then the oldest, as the standard asks. */
const CHARACTERS_MAX = 512
const LARGE_MEMBER_CHARACTERS = 129
/** Beyond this nobody reads it. */
const HEADER_CHARACTERS_MAX = 8_192

/** Printable ASCII without comma and equals sign; a value does not end in a space. */
const MEMBER = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/

/** At most 512 characters; undefined for none and for what is not valid, which is passed on to nobody. */
export function readTraceState(header: string | null): string | undefined {
  if (header === null || header.length > HEADER_CHARACTERS_MAX) return undefined
  const members = header
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
  if (members.length === 0 || members.length > MEMBERS_MAX || !members.every((member) => MEMBER.test(member)))
    return undefined
  return shortened(members).join(',') || undefined
}

function shortened(members: readonly string[]): readonly string[] {
  const isLong = (some: readonly string[]) => some.join(',').length > CHARACTERS_MAX
  if (!isLong(members)) return members
  const kept = members.filter(({ length }) => length < LARGE_MEMBER_CHARACTERS)
  while (isLong(kept)) kept.pop()
  return kept
}
