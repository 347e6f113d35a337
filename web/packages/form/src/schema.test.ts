import type { FormUi, JsonSchema } from '@haoban/api'
import { describe, expect, it } from 'vitest'
import { covers, display, fenOf, item, pagesOf, visibleParts } from './schema'

const schema: JsonSchema = {
  type: 'object',
  required: ['price'],
  $defs: { buyer: { type: 'object', title: '购房人', properties: { name: { type: 'string', title: '姓名' }, share: { type: 'string', title: '份额', 'x-format': 'share' } } } },
  properties: {
    price: { type: 'integer', title: '总价', 'x-format': 'money' },
    day: { type: 'string', format: 'date', title: '日期' },
    shared: { type: 'string', title: '共有', oneOf: [{ const: 'joint', title: '共同共有' }, { const: 'parts', title: '按份共有' }] },
    loan: { type: 'boolean', title: '是否贷款' },
    buyers: { type: 'array', title: '购房人', items: { $ref: '#/$defs/buyer' } },
    uses: { type: 'array', title: '用途', items: { type: 'string', enum: ['school', 'loan'], 'x-labels': { school: '入学', loan: '贷款' } } },
  },
}
const ui: FormUi = { parts: [{ id: 'a', title: '甲', fields: ['price'] }, { id: 'b', title: '乙', fields: ['buyers'], when: 'shared == "parts"' }, { id: 'c', title: '丙', fields: [], who: 'clerk' }] }

describe('item', () => {
  it('chooses how to ask', () => {
    expect(Object.keys(schema.properties ?? {}).map(p => item(schema, ui, p).widget)).toEqual(['money', 'date', 'choice', 'yesno', 'list', 'choices'])
    expect(item(schema, ui, 'buyers.0.share').widget).toBe('share')
    expect(item(schema, ui, 'price').required).toBe(true)
  })
  it('shows values in words', () => {
    expect(display(item(schema, ui, 'price'), 618000000)).toBe('6,180,000.00 元')
    expect(display(item(schema, ui, 'day'), '2026-11-03')).toBe('2026年11月3日')
    expect(display(item(schema, ui, 'shared'), 'parts')).toBe('按份共有')
    expect(display(item(schema, ui, 'loan'), false)).toBe('否')
    expect(display(item(schema, ui, 'uses'), ['school', 'loan'])).toBe('入学、贷款')
    expect(display(item(schema, ui, 'buyers.0.share'), '1/2')).toBe('1/2（50%）')
    expect(display(item(schema, ui, 'buyers.0.share'), '1/3')).toBe('1/3')
  })
})

it('shows the parts that apply', () => {
  expect(visibleParts(ui, {}).map(p => p.id)).toEqual(['a'])
  expect(visibleParts(ui, { shared: 'parts' }).map(p => p.id)).toEqual(['a', 'b'])
})

it('cuts a part into small pages', () => {
  expect(pagesOf(schema, ui, ['price', 'day', 'shared', 'loan', 'uses', 'buyers'])).toEqual([['price', 'day', 'shared'], ['loan', 'uses'], ['buyers']])
  expect(pagesOf(schema, ui, ['price', 'day', 'shared', 'loan', 'uses'], p => p === 'price' || p === 'day')).toEqual([['price', 'day', 'shared', 'loan', 'uses']])
})

it('knows which errors belong to which fields', () => {
  expect(covers(['buyers'], 'buyers.0.share')).toBe(true)
  expect(covers(['buyer'], 'buyers')).toBe(false)
})

it('reads money as people type it', () => {
  expect(fenOf('6,180,000.5')).toBe(618000050)
  expect(fenOf('80 元')).toBe(8000)
  expect(fenOf('abc')).toBeUndefined()
  expect(fenOf('1.234')).toBeUndefined()
})
