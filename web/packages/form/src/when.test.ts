import { describe, expect, it } from 'vitest'
import { at, holds, put } from './when'

const data = { kind: 'shared', price: 618, married: true, buyers: [{ name: '甲' }, { name: '乙' }], unit: { use: '住宅' }, none: null }

describe('holds', () => {
  const yes = [
    '', 'kind == "shared"', 'form.kind == \'shared\'', 'kind != "joint"', 'kind in ["shared", "joint"]', 'price > 600 and married',
    'price >= 618 && !(kind == "joint")', 'not (price < 100) or false', 'unit.use == "住宅"', 'len(buyers) == 2', 'none == nil', 'missing == nil',
    'kind not in ["a", "b"]', 'buyers.1.name == "乙"', 'missing == ""',
  ]
  it.each(yes)('%s holds', src => expect(holds(src, data)).toBe(true))

  const no = ['kind == "joint"', 'not married', 'price < 600 || kind == "x"', 'missing', 'kind in []', 'false', 'missing > 0', 'married == false']
  it.each(no)('%s does not hold', src => expect(holds(src, data)).toBe(false))

  const odd = ['kind ==', 'now() > 3', 'kind = "x"', '((kind', 'constructor.constructor("return 1")()', '"a" "b"']
  it.each(odd)('%s cannot be read and hides nothing', src => expect(holds(src, data)).toBe(true))

  it('looks in the row of a list first', () => {
    expect(holds('name == "乙"', data, { name: '乙' })).toBe(true)
  })
})

describe('put and at', () => {
  it('writes below lists and objects without touching the original', () => {
    const next = put(data, 'buyers.1.name', '丙')
    expect(at(next, 'buyers.1.name')).toBe('丙')
    expect(at(data, 'buyers.1.name')).toBe('乙')
  })
  it('makes what is missing on the way', () => {
    expect(put({}, 'a.0.b', 1)).toEqual({ a: [{ b: 1 }] })
    expect(put({}, 'a.b', 1)).toEqual({ a: { b: 1 } })
  })
  it('takes away', () => expect(put({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 }))
})
