import { Routes } from '../../../local/host/http/routes'

function routesOf(...templates: string[]): Routes<string> {
  const routes = new Routes<string>()
  for (const template of templates) routes.add(template, ['GET'], template)
  return routes
}

const match = (routes: Routes<string>, path: string, method = 'GET') => routes.match(method, path)

describe('routes', () => {
  const all = routesOf(
    'v1/items/new',
    'v1/items/{id:int}',
    'v1/items/{name}',
    'v1/{*rest}',
    'v1/{kind}/new/{n:range(1,9)}',
  )

  it.each([
    ['/v1/items/new', 'v1/items/new', {}],
    ['/V1/ITEMS/New', 'v1/items/new', {}],
    ['/v1/items/new/', 'v1/items/new', {}],
    ['/v1/items/7', 'v1/items/{id:int}', { id: '7' }],
    ['/v1/items/seven', 'v1/items/{name}', { name: 'seven' }],
    ['/v1/items/new/7', 'v1/{kind}/new/{n:range(1,9)}', { kind: 'items', n: '7' }],
    ['/v1/items/new/70', 'v1/{*rest}', { rest: 'items/new/70' }],
    ['/v1/other/a%20b', 'v1/{*rest}', { rest: 'other/a b' }],
    ['/v1', 'v1/{*rest}', {}],
  ])('%s goes to %s, the most particular route that takes it', (path, value, params) => {
    expect(match(all, path)).toEqual({ value, params })
  })

  it('that take a path with another method only are no match', () => {
    expect(match(all, '/v1/items/new', 'DELETE')).toBeUndefined()
  })

  it('step back from a branch that ends nowhere', () => {
    const routes = routesOf('a/b/c', 'a/{x}/d')

    expect(match(routes, '/a/b/d')).toEqual({ value: 'a/{x}/d', params: { x: 'b' } })
    expect(match(routes, '/a/b/e')).toBeUndefined()
  })

  it('of one method do not hide a less particular route of another method', () => {
    const routes = new Routes<string>()
    routes.add('files/latest', ['GET'], 'literal')
    routes.add('files/{name}', ['DELETE'], 'parameter')

    expect(match(routes, '/files/latest', 'DELETE')?.value).toBe('parameter')
  })

  it('leave out optional parameters that the path does not have', () => {
    const routes = routesOf('o/{a}/{b?}')

    expect(match(routes, '/o/1')?.params).toEqual({ a: '1' })
    expect(match(routes, '/o/1/2')?.params).toEqual({ a: '1', b: '2' })
    expect(match(routes, '/o')).toBeUndefined()
  })

  it('keep a path that is not valid percent-encoding as it was sent', () => {
    expect(match(routesOf('p/{x}'), '/p/%E0%A4%A')?.params).toEqual({ x: '%E0%A4%A' })
  })

  it('that collide or cannot be parsed are refused, naming the route', () => {
    expect(() => routesOf('a/{x}', 'a/{y}')).toThrow('a/{y}')
    expect(() => routesOf('a/{x:nonsense}')).toThrow('nonsense')
    expect(() => routesOf('a/{*rest}/b')).toThrow('must come last')
    expect(() => routesOf('a/{x}.{y}')).toThrow('{x}.{y}')
  })

  it.each([
    ['int', '12', '1.5'],
    ['bool', 'TRUE', 'yes'],
    ['guid', '6f9619ff-8b86-d011-b42d-00cf4fc964ff', '6f9619ff'],
    ['alpha', 'abc', 'a1'],
    ['minlength(3)', 'abc', 'ab'],
    ['length(2,3)', 'abc', 'abcd'],
    ['max(9)', '9', '10'],
    ['regex(^x+$)', 'xx', 'xy'],
  ])('constraint %s takes %s and not %s', (constraint, good, bad) => {
    const routes = routesOf(`c/{v:${constraint}}`)

    expect(match(routes, `/c/${good}`)).toBeDefined()
    expect(match(routes, `/c/${bad}`)).toBeUndefined()
  })
})
