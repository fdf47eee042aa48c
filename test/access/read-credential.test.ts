import { readCredential } from '../../src/access/read-credential'
import { Problem } from '../../src/base/problem'

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl'
const read = (headers: Record<string, string>) => readCredential(new Headers(headers))

describe('a credential', () => {
  it.each([
    ['the api-key header', { 'api-key': 'tnk_x' }],
    ['a bearer', { authorization: 'Bearer tnk_x' }],
    ['a bearer in other capitals', { authorization: 'bearer  tnk_x ' }],
    ['both, saying the same', { 'api-key': 'tnk_x', authorization: 'Bearer tnk_x' }],
    ['the api-key header beside another scheme', { 'api-key': 'tnk_x', authorization: 'Basic dTpw' }],
    ['an empty api-key header beside a bearer', { 'api-key': '', authorization: 'Bearer tnk_x' }],
  ])('is an API key in %s', (_, headers) => {
    expect(read(headers)).toEqual({ kind: 'api-key', text: 'tnk_x' })
  })

  it('is an Entra token where a bearer looks like a JSON web token', () => {
    expect(read({ authorization: `Bearer ${JWT}` })).toEqual({ kind: 'entra-token', text: JWT })
  })

  it.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic dTpw' }],
    ['a bearer of nothing', { authorization: 'Bearer ' }],
    ['a bearer of two words', { authorization: 'Bearer a b' }],
    ['a header that other products use', { 'x-api-key': 'tnk_x' }],
  ])('is missing in %s', (_, headers) => {
    expect(read(headers as Record<string, string>)).toEqual({ kind: 'none' })
  })

  it('is refused where two headers carry different ones, rather than one of them chosen', () => {
    const problem = read({ 'api-key': 'tnk_x', authorization: 'Bearer tnk_y' })
    expect(problem).toBeInstanceOf(Problem)
    expect(problem).toMatchObject({ code: 'invalid_request', param: 'authorization' })
    expect(JSON.stringify(problem)).not.toMatch(/tnk_[xy]/)
  })
})
