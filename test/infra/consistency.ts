import { posix } from 'node:path'
import type { Node } from 'web-tree-sitter'
import { allOf, named, propertiesOf, propertyOf, sameNode, unquoted, type BicepFile, type Module } from './bicep-file'
import type { Rule, Templates } from './templates'

export const everyFileParses: Rule = ({ files }) =>
  [...files.values()].flatMap(({ path, faults }) => faults.map((fault) => `${path}:${fault}`))

/** Paths exist; parameters that are given are declared, those without a default are given; no module is left unused. */
export const modulesAreCalledAsDeclared: Rule = (templates) => {
  const used = new Set(['main.bicep'])
  const faults = eachModule(templates, (file, module, target) => {
    if (!target) return [`${file.path}: ${module.symbol} has no file ${module.source}`]
    used.add(target.path)
    const given = propertiesOf(propertyOf(module.body, 'params')).map(({ name }) => name)
    const declared = target.parameters.map(({ name }) => name)
    const required = target.parameters.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name)
    return [
      ...given.filter((name) => !declared.includes(name)).map((name) => `does not know the parameter ${name}`),
      ...required.filter((name) => !given.includes(name)).map((name) => `lacks the parameter ${name}`),
    ].map((fault) => `${file.path}: ${module.symbol} ${fault}`)
  })
  const unused = [...templates.files.keys()].filter((path) => !used.has(path))
  return [...faults, ...unused.map((path) => `${path}: nobody uses it`)]
}

/** An output that is read is there, and one of a module that may be missing is read behind a condition. */
export const outputsThatAreReadExist: Rule = (templates) =>
  eachModule(templates, (file, module, target) =>
    readsOf(file, module).flatMap((read) => {
      const property = unquoted(named(read).at(-1))
      const where = `${file.path}:${read.startPosition.row + 1}: ${module.symbol}.outputs.${property}`
      if (!target?.outputs.some(({ name }) => name === property)) return [`${where} does not exist`]
      if (module.isConditional && !isBehindCondition(read))
        return [`${where} is read unconditionally of what may be missing`]
      return []
    }),
  )

/** `m.outputs.x`, `m!.outputs.x` and `ms[i].outputs.x`. */
function readsOf(file: BicepFile, { symbol }: Module): Node[] {
  const path = new RegExp(String.raw`^${symbol}(?:\[[^\]]*\])?!?\.outputs\.\w+$`)
  return allOf(file.root, 'member_expression').filter(({ text }) => path.test(text.replaceAll(/\s/g, '')))
}

function isBehindCondition(node: Node): boolean {
  for (let at: Node | null = node; at; at = at.parent) {
    if (at.parent?.type === 'ternary_expression' && !sameNode(at.parent.childForFieldName('condition'), at)) return true
    if (at.type === 'if_statement') return true
  }
  return false
}

/** Every declared parameter and variable is used: what nobody reads is a setting that does nothing. */
export const everythingDeclaredIsUsed: Rule = ({ files }) =>
  [...files.values()].flatMap((file) =>
    named(file.root)
      .filter(({ type }) => type === 'parameter_declaration' || type === 'variable_declaration')
      .map((declaration) => ({ declaration, name: named(declaration)[0]?.text ?? '' }))
      .filter(({ declaration, name }) => !usesOf(file, name).some((use) => !isWithin(use, declaration)))
      .map(({ name }) => `${file.path}: ${name} is never used`),
  )

/** Every name that is read is declared in its file, a loop or a function of one line. */
export const everyNameIsDeclared: Rule = ({ files }) =>
  [...files.values()].flatMap((file) => {
    const declared = new Set(
      named(file.root).flatMap((node) => (node.type.endsWith('_declaration') ? [nameOf(node)] : [])),
    )
    return allOf(file.root, 'identifier')
      .filter((use) => isRead(use) && !declared.has(use.text) && !isBoundAround(use))
      .map((use) => `${file.path}:${use.startPosition.row + 1}: ${use.text} is not declared`)
  })

/** No two declarations of a file have one name: Bicep keeps parameters, variables, resources and modules together. */
export const noNameIsTakenTwice: Rule = ({ files }) =>
  [...files.values()].flatMap(({ path, root }) => {
    const isDeclaration = ({ type }: Node) => type.endsWith('_declaration') && type !== 'output_declaration'
    const names = named(root).filter(isDeclaration).map(nameOf)
    return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map(
      (name) => `${path}: ${name} is there twice`,
    )
  })

/** Bicep takes a loop as the whole of a declaration or of a property of what is made, and nowhere else (its BCP138). */
export const loopsStandWhereTheyMay: Rule = ({ files }) =>
  [...files.values()].flatMap(({ path, root }) =>
    allOf(root, 'for_statement')
      .filter((loop) => !mayStandAt(loop))
      .map((loop) => `${path}:${loop.startPosition.row + 1}: no loop may stand here`),
  )

function mayStandAt(loop: Node): boolean {
  if (loop.parent?.type.endsWith('_declaration')) return true
  for (let at = loop.parent; at; at = at.parent) {
    if (at.type === 'resource_declaration' || at.type === 'module_declaration') return true
    if (!['object_property', 'object', 'if_statement', 'for_statement'].includes(at.type)) return false
  }
  return false
}

const nameOf = (declaration: Node) => named(declaration)[0]?.text ?? ''

const usesOf = (file: BicepFile, name: string) =>
  allOf(file.root, 'identifier').filter((node) => node.text === name && isRead(node))

const isWithin = (node: Node, outer: Node) => node.startIndex >= outer.startIndex && node.endIndex <= outer.endIndex

/** Neither the name of a declaration, a property or a function, nor one that a loop or a lambda binds. */
function isRead(node: Node): boolean {
  const { parent } = node
  if (!parent || parent.type.endsWith('_declaration'))
    return parent !== null && !sameNode(named(parent)[0] ?? null, node)
  if (parent.type === 'object_property') return !sameNode(named(parent)[0] ?? null, node)
  if (parent.type === 'call_expression') return !sameNode(parent.childForFieldName('function'), node)
  if (parent.type === 'for_statement') return !sameNode(parent.childForFieldName('initializer'), node)
  // In an array the grammar takes `f(x)` for two elements.
  if (parent.type === 'array' && parent.text[node.endIndex - parent.startIndex] === '(') return false
  return !lambdaParameters(node).some((parameter) => sameNode(parameter, node))
}

function isBoundAround(use: Node): boolean {
  for (let at = use.parent; at; at = at.parent) {
    if (at.type === 'for_statement' && loopNames(at).includes(use.text)) return true
    if (at.type === 'lambda_expression' && parametersOf(at).some(({ text }) => text === use.text)) return true
  }
  return false
}

const loopNames = (loop: Node) => {
  const first = named(loop)[0]
  return first?.type === 'for_loop_parameters' ? named(first).map(({ text }) => text) : [first?.text]
}

function parametersOf(lambda: Node): Node[] {
  const first = named(lambda)[0]
  if (!first) return []
  return first.type === 'parenthesized_expression' ? named(first) : [first]
}

function lambdaParameters(node: Node): Node[] {
  const lambda = node.parent?.type === 'parenthesized_expression' ? node.parent.parent : node.parent
  return lambda?.type === 'lambda_expression' ? parametersOf(lambda) : []
}

function eachModule(
  { files }: Templates,
  check: (file: BicepFile, module: Module, target: BicepFile | undefined) => string[],
): string[] {
  return [...files.values()].flatMap((file) =>
    file.modules.flatMap((module) =>
      check(file, module, files.get(posix.join(posix.dirname(file.path), module.source))),
    ),
  )
}
