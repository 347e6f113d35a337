import { describe, expect, it } from 'vitest'
import { search } from './search'

const m = (name: string, summary = '') => ({ slug: name, name, summary, who: '' })
const groups = [
  { name: '登记', items: [m('夫妻共有性质变更', '加名、减名'), m('抵押权注销', '还清贷款后'), m('抵押权设立')] },
  { name: '查询', items: [m('本市房屋查询结果证明')] },
]
const names = (q: string) => search(groups, q).flatMap(g => g.items.map(i => i.name))

describe('search', () => {
  it('shows all for nothing typed', () => expect(names(' ')).toHaveLength(4))
  it('finds by name, spaces aside', () => expect(names('抵押权 注销')[0]).toBe('抵押权注销'))
  it('knows what people call things', () => {
    expect(names('加配偶名字')[0]).toBe('夫妻共有性质变更')
    expect(names('我有几套房')[0]).toBe('本市房屋查询结果证明')
  })
  it('says nothing when nothing fits', () => expect(names('护照')).toEqual([]))
})
