import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const root = join(__dirname, '..')
const pages = ['README.md', 'bench/README.md', ...globSync('docs/**/*.md', { cwd: root })]
const textOf = (page: string) => readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '')

/** What a page can be entered at: each heading in lower case, without what is neither letter, digit, hyphen nor space. */
const anchorsOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- ]/gu, '')
      .replaceAll(' ', '-'),
  )

test('every link between pages leads to a page that is there, and to a heading of it', () => {
  const links = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)\s:]+)\)/g)].map(([, link = '']) => ({ page, link })),
  )
  const dead = links.filter(({ page, link }) => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : normalize(join(dirname(page), path))
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchorsOf(target).includes(anchor)
  })
  expect(links.length).toBeGreaterThan(100)
  expect(dead).toEqual([])
})

test('every page of docs is led to from the README, or from a page that is', () => {
  const reached = new Set(['README.md'])
  for (const page of reached)
    for (const [, path = ''] of textOf(page).matchAll(/\]\(([^)\s:#]+\.md)(?:#[^)]*)?\)/g)) {
      const target = normalize(join(dirname(page), path))
      if (existsSync(join(root, target))) reached.add(target)
    }
  expect(pages.filter((page) => !page.startsWith('docs/decisions/') && !reached.has(page))).toEqual([])
})
