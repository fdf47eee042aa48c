import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBicepParser, type BicepFile } from './bicep-file'

const infra = join(__dirname, '..', '..', 'infra')

/** All templates by their paths under `infra/`, and the data that they load. */
export interface Templates {
  readonly files: ReadonlyMap<string, BicepFile>
  /** The names of Azure's roles (role-ids.json), by which templates know them. */
  readonly roles: Readonly<Record<string, string>>
}

/** What a rule finds wrong, one line each that begins with the file. */
export type Rule = (templates: Templates) => string[]

export interface TemplateReader {
  readonly templates: Templates
  /** The templates with one of them changed; throws where there is nothing to change, so that no example grows stale. */
  broken(path: string, from: string | RegExp, to: string): Templates
}

export async function readTemplates(): Promise<TemplateReader> {
  const parse = await createBicepParser()
  const texts = new Map(
    globSync('**/*.bicep', { cwd: infra }).map((path) => [path, readFileSync(join(infra, path), 'utf8')] as const),
  )
  const files = new Map([...texts].map(([path, text]) => [path, parse(path, text)] as const))
  const roles = rolesIn(readFileSync(join(infra, 'role-ids.json'), 'utf8'))
  return {
    templates: { files, roles },
    broken: (path, from, to) => {
      const text = texts.get(path)
      const changed = text?.replace(from, to)
      if (changed === undefined || changed === text) throw new Error(`${path} has nothing like ${String(from)}`)
      return { files: new Map([...files, [path, parse(path, changed)]]), roles }
    },
  }
}

function rolesIn(json: string): Record<string, string> {
  return JSON.parse(json) as Record<string, string>
}
