import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Language, Parser, type Node } from 'web-tree-sitter'

/** One template, read by a real parser (tree-sitter-bicep). It knows the syntax of Bicep and none of its types. */
export interface BicepFile {
  /** Relative to `infra/`. */
  readonly path: string
  readonly root: Node
  /** `line:column` and the text of what is no Bicep. */
  readonly faults: readonly string[]
  readonly parameters: readonly Parameter[]
  readonly resources: readonly Resource[]
  readonly modules: readonly Module[]
  readonly outputs: readonly { readonly name: string; readonly value: Node }[]
}

export interface Parameter {
  readonly name: string
  readonly hasDefault: boolean
  readonly decorators: readonly string[]
  readonly node: Node
}

export interface Resource {
  readonly symbol: string
  /** `Microsoft.Storage/storageAccounts` */
  readonly type: string
  readonly apiVersion: string
  /** What `existing` says is not made here. */
  readonly isExisting: boolean
  readonly isLoop: boolean
  readonly decorators: readonly string[]
  readonly body: Node
}

export interface Module {
  readonly symbol: string
  /** As written: relative to the file. */
  readonly source: string
  /** Whether it may be missing (`if`), so that its outputs are read behind a condition only. */
  readonly isConditional: boolean
  readonly body: Node
}

/** Resolves to a function that parses; the grammar is loaded once. */
export async function createBicepParser(): Promise<(path: string, text: string) => BicepFile> {
  await Parser.init()
  const grammar = join(dirname(require.resolve('tree-sitter-bicep/package.json')), 'tree-sitter-bicep.wasm')
  const parser = new Parser()
  parser.setLanguage(await Language.load(readFileSync(grammar)))
  return (path, text) => {
    const tree = parser.parse(text)
    if (!tree) throw new Error(`${path} could not be parsed at all`)
    return fileOf(path, tree.rootNode)
  }
}

function fileOf(path: string, root: Node): BicepFile {
  const parameters: Parameter[] = []
  const resources: Resource[] = []
  const modules: Module[] = []
  const outputs: { name: string; value: Node }[] = []
  let decorators: string[] = []
  for (const node of named(root)) {
    if (node.type === 'decorators') {
      decorators = named(node).map(({ text }) => text.slice(1))
      continue
    }
    const name = named(node)[0]?.text ?? ''
    if (node.type === 'parameter_declaration')
      parameters.push({ name, hasDefault: named(node).length > 2, decorators, node })
    if (node.type === 'resource_declaration') resources.push(resourceOf(node, decorators))
    if (node.type === 'module_declaration') modules.push(moduleOf(node))
    const value = named(node).at(-1)
    if (node.type === 'output_declaration' && value) outputs.push({ name, value })
    if (node.type !== 'comment') decorators = []
  }
  return { path, root, faults: faultsIn(root), parameters, resources, modules, outputs }
}

function resourceOf(node: Node, decorators: readonly string[]): Resource {
  const [symbol, declared] = named(node)
  const [type = '', apiVersion = ''] = unquoted(declared).split('@')
  const isExisting = node.children.some((child) => child?.type === 'existing' || child?.text === 'existing')
  const isLoop = node.descendantsOfType('for_statement').some((loop) => sameNode(loop?.parent ?? null, node))
  return { symbol: symbol?.text ?? '', type, apiVersion, isExisting, isLoop, decorators, body: bodyOf(node) }
}

function moduleOf(node: Node): Module {
  const [symbol, source] = named(node)
  const body = bodyOf(node)
  return {
    symbol: symbol?.text ?? '',
    source: unquoted(source),
    isConditional: body.parent?.type === 'if_statement',
    body,
  }
}

/** The object of a declaration, be it in a loop or behind a condition. */
function bodyOf(declaration: Node): Node {
  let node = declaration
  while (node.type !== 'object') {
    const inner = named(node).at(-1)
    if (!inner) throw new Error(`${declaration.text.slice(0, 60)} has no body`)
    node = inner
  }
  return node
}

/** A property's value by its path of names, through plain objects only. */
export function propertyOf(object: Node | undefined, ...path: readonly string[]): Node | undefined {
  let found = object
  for (const name of path) {
    const property = propertiesOf(found).find((one) => one.name === name)
    found = property?.value
  }
  return found
}

export function propertiesOf(object: Node | undefined): { name: string; value: Node }[] {
  if (object?.type !== 'object') return []
  return named(object).flatMap((property) => {
    const [key, value] = named(property)
    return property.type === 'object_property' && key && value ? [{ name: unquoted(key), value }] : []
  })
}

/** All nodes of a kind, the node itself included. */
export const allOf = (node: Node, type: string): Node[] => node.descendantsOfType(type).filter((one) => one !== null)

export const named = (node: Node): Node[] => node.namedChildren.filter((child) => child !== null)

export const unquoted = (node: Node | undefined): string => node?.text.replace(/^'|'$/g, '') ?? ''

export const sameNode = (one: Node | null, other: Node | null): boolean => one?.id === other?.id

function faultsIn(root: Node): string[] {
  if (!root.hasError) return []
  const faults: string[] = []
  const walk = (node: Node) => {
    const { row, column } = node.startPosition
    if (node.isError || node.isMissing) faults.push(`${row + 1}:${column + 1} ${node.text.slice(0, 40)}`)
    else for (const child of node.children) if (child) walk(child)
  }
  walk(root)
  return faults
}
