/**
 * What is a member for a short time: joined and left by every call. A `Set` or `Map` that is added to and deleted from outgrows its
 * table every few dozen calls, and V8 links each dead table to its successor; once one of them is old, the collector keeps every
 * table after it with all calls in them, until its next full run. An array has no such chain.
 */
export class Members<T extends Member> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Does nothing for what is no member. */
  delete(member: T): void {
    if (this.#members[member.place] !== member) return
    const last = this.#members.pop()
    if (!last || last === member) return
    this.#members[member.place] = last
    last.place = member.place
  }

  /** As they stand now: members may leave meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.#members][Symbol.iterator]()
  }
}

export interface Member {
  /** Where `Members` has it; nobody else's concern. */
  place: number
}
