import { parseRouteTemplate, type Segment } from './route-template'

export interface RouteMatch<T> {
  readonly value: T
  /** Values as the URL had them, percent-decoded; an absent optional parameter and an empty rest are left out. */
  readonly params: Readonly<Record<string, string>>
}

type Parameter = Extract<Segment, { kind: 'parameter' }>

/** A place in the tree of segments. Arrays are in the order in which they are tried. */
interface Node<T> {
  readonly literals: Map<string, Node<T>>
  readonly constrained: { readonly accepts: (value: string) => boolean; readonly node: Node<T> }[]
  plain: Node<T> | undefined
  /** By method in capitals; what ends here. */
  readonly ends: Map<string, Leaf<T>>
  readonly rests: Map<string, Leaf<T>>
}

interface Leaf<T> {
  readonly value: T
  /** Names for the values met on the way, in order. */
  readonly names: readonly string[]
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

/**
 * Routes compiled to a tree: literal before constrained before plain parameter before `{*rest}`, decided segment by
 * segment and without regard to case, with a step back when a branch fails. A method that no route takes is no match
 * (the real host answers 404 and not 405). A lookup walks the path once and makes nothing but the parameters.
 */
export class Routes<T> {
  private readonly root: Node<T> = newNode()

  /** Throws when the template cannot be parsed or the same route and method is taken. */
  add(template: string, methods: readonly string[], value: T): void {
    const segments = parseRouteTemplate(template)
    const lastRequired = segments.findLastIndex((segment) => !(segment.kind === 'parameter' && segment.isOptional))
    // A route with optional parameters is one route for each number of them.
    for (let length = lastRequired + 1; length <= segments.length; length++) {
      this.insert(segments.slice(0, length), methods, { template, value })
    }
  }

  match(method: string, path: string): RouteMatch<T> | undefined {
    const values: string[] = []
    const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length
    const leaf = descend(this.root, method, path, 1, end, values)
    return leaf && { value: leaf.value, params: toParams(leaf.names, values) }
  }

  private insert(segments: readonly Segment[], methods: readonly string[], route: { template: string; value: T }) {
    let node = this.root
    let ends = node.ends
    const names: string[] = []
    for (const segment of segments) {
      if (segment.kind !== 'literal') names.push(segment.name)
      if (segment.kind === 'rest') ends = node.rests
      else {
        node = segment.kind === 'literal' ? literalChild(node, segment.text) : parameterChild(node, segment)
        ends = node.ends
      }
    }
    for (const method of methods) {
      if (ends.has(method)) throw new Error(`Two functions share the route ${method} ${route.template}`)
      ends.set(method, { value: route.value, names })
    }
  }
}

function newNode<T>(): Node<T> {
  return { literals: new Map(), constrained: [], plain: undefined, ends: new Map(), rests: new Map() }
}

function literalChild<T>(node: Node<T>, text: string): Node<T> {
  const child = node.literals.get(text) ?? newNode<T>()
  node.literals.set(text, child)
  return child
}

function parameterChild<T>(node: Node<T>, { accepts }: Parameter): Node<T> {
  if (!accepts) return (node.plain ??= newNode())
  const child = newNode<T>()
  node.constrained.push({ accepts, node: child })
  return child
}

/** `from` is where the segment after the last slash starts; `values` holds what parameters matched so far. */
function descend<T>(
  node: Node<T>,
  method: string,
  path: string,
  from: number,
  end: number,
  values: string[],
): Leaf<T> | undefined {
  if (from >= end) return node.ends.get(method) ?? node.rests.get(method)
  const slash = path.indexOf('/', from)
  const to = slash === -1 || slash > end ? end : slash
  const raw = path.slice(from, to)
  const next = node.literals.size > 0 ? (node.literals.get(raw) ?? node.literals.get(raw.toLowerCase())) : undefined
  const found = next && descend(next, method, path, to + 1, end, values)
  return found ?? descendParameters(node, method, path, { from, to, end, raw }, values)
}

function descendParameters<T>(
  node: Node<T>,
  method: string,
  path: string,
  { from, to, end, raw }: { from: number; to: number; end: number; raw: string },
  values: string[],
): Leaf<T> | undefined {
  const depth = values.length
  const value = decode(raw)
  for (const { accepts, node: child } of node.constrained) {
    if (!accepts(value)) continue
    values.push(value)
    const leaf = descend(child, method, path, to + 1, end, values)
    if (leaf) return leaf
    values.length = depth
  }
  if (node.plain && value !== '') {
    values.push(value)
    const leaf = descend(node.plain, method, path, to + 1, end, values)
    if (leaf) return leaf
    values.length = depth
  }
  const rest = node.rests.get(method)
  if (rest) values.push(decode(path.slice(from, end)))
  return rest
}

function toParams(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  if (values.length === 0) return NO_PARAMS
  const params: Record<string, string> = {}
  for (let i = 0; i < values.length; i++) {
    const name = names[i]
    const value = values[i]
    if (name !== undefined && value !== undefined) params[name] = value
  }
  return params
}

/** A path that is not valid UTF-8 stays as it is: it then matches no literal and reaches handlers as it was sent. */
function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
