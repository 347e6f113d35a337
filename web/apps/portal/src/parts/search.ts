import type { MatterCard } from '@haoban/api'

export interface Group { name: string; items: MatterCard[] }

/** Words people say, and the words of the trade they mean. */
const also: [RegExp, string][] = [
  [/加.*(名|配偶|老婆|老公)|减名|去名/, '共有'],
  [/还清|结清|解押|撤押/, '注销'],
  [/贷款|按揭/, '抵押'],
  [/丢|遗失|找不到|补证/, '补'],
  [/查房|有房|无房|几套|房产证明/, '查询'],
  [/买房|卖房|过户|二手/, '转移'],
  [/新房|期房|预售/, '预告'],
  [/改名|更名/, '变更'],
  [/写错|错误/, '更正'],
  [/继承|去世/, '继承'],
  [/封|冻结/, '查封'],
]

function score(m: MatterCard, group: string, q: string): number {
  const name = m.name.toLowerCase()
  const text = `${m.name}${m.summary}${m.who}${group}`.toLowerCase()
  if (name.includes(q)) {
    return 100
  }
  if (text.includes(q)) {
    return 60
  }
  for (const [said, meant] of also) {
    if (said.test(q) && text.includes(meant)) {
      return name.includes(meant) ? 50 : 30
    }
  }
  // Pairs of neighbouring characters in common.
  let hit = 0
  for (let i = 0; i + 1 < q.length; i++) {
    if (text.includes(q.slice(i, i + 2))) {
      hit++
    }
  }
  return q.length > 1 && hit / (q.length - 1) >= 0.5 ? 20 + hit : 0
}

/** The matters that fit what a person typed, best first inside each group. */
export function search(groups: Group[], typed: string): Group[] {
  const q = typed.replace(/\s+/g, '').toLowerCase()
  if (q === '') {
    return groups
  }
  return groups
    .map(g => ({ name: g.name, items: g.items.map(m => ({ m, s: score(m, g.name, q) })).filter(x => x.s > 0).sort((a, b) => b.s - a.s) }))
    .filter(g => g.items.length > 0)
    .sort((a, b) => b.items[0]!.s - a.items[0]!.s)
    .map(g => ({ name: g.name, items: g.items.map(x => x.m) }))
}
