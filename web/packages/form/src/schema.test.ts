import type { JsonSchema } from '@haoban/api'
import { describe, expect, it } from 'vitest'
import { covers, display, fenOf, isKey, item, leavesOf, missing, pagesOf, readUi, visibleParts } from './schema'

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
const ui = readUi({ parts: [{ id: 'a', title: '甲', fields: ['price'] }, { id: 'b', title: '乙', fields: ['buyers'], when: 'shared == "parts"' }, { id: 'c', title: '丙', fields: [{ path: 'price', hint: '含税' }], who: 'clerk' }] })

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

describe('missing', () => {
  const root: JsonSchema = {
    type: 'object',
    required: ['no', 'seller', 'list', 'ok'],
    properties: {
      no: { type: 'string', title: '合同编号' },
      seller: { type: 'object', title: '预售人', required: ['name'], properties: { name: { type: 'string', title: '名称' }, note: { type: 'string', title: '备注' } } },
      extra: { type: 'object', title: '另有', required: ['a'], properties: { a: { type: 'string', title: '甲' }, b: { type: 'string', title: '乙' } } },
      list: { type: 'array', title: '购房人', minItems: 1, items: { type: 'object', required: ['name'], properties: { name: { type: 'string', title: '姓名' } } } },
      ok: { type: 'boolean', title: '承诺属实', const: true },
      kind: { type: 'string', title: '形式', 'x-format': 'district' },
    },
  }
  const u = readUi({ parts: [] })
  const fields = Object.keys(root.properties ?? {})
  const paths = (data: Record<string, unknown>) => missing(root, u, fields, data, []).map(e => e.path)

  it('asks for what is required, and nothing of an object that may stay away', () => {
    expect(paths({})).toEqual(['no', 'seller.name', 'list', 'ok'])
    expect(paths({ no: '1', seller: { name: 'x' }, list: [{}], ok: true, extra: { b: '1' } })).toEqual(['extra.a', 'list.0.name'])
    expect(paths({ no: '1', seller: { name: 'x' }, list: [{ name: 'y' }], ok: true })).toEqual([])
  })
  it('says how to mend it', () => {
    expect(missing(root, u, ['ok', 'no'], {}, []).map(e => e.msg)).toEqual(['请勾选“承诺属实”', '请填合同编号'])
  })
  it('does not ask for what a source vouches for', () => {
    const fact = { path: 'no', label: '', value: '1', masked: false, source: '', sourceText: '', at: '', locked: true, state: 'ok' as const }
    expect(missing(root, u, ['no'], {}, [fact])).toEqual([])
  })
  it('lists leaves with their rows', () => {
    expect(leavesOf(root, u, 'list', { list: [{}, {}] }).map(i => i.path)).toEqual(['list.0.name', 'list.1.name'])
  })
  it('knows what fetches the rest', () => {
    expect(isKey(item(root, u, 'no'))).toBe(true)
    expect(isKey(item(root, u, 'seller.note'))).toBe(false)
    expect(item(root, u, 'kind').widget).toBe('select')
  })
})
