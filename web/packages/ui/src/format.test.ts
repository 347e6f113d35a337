import { expect, it } from 'vitest'
import { duration, fileSize, fullDay, fullWhen, money, shortDay, sourceName, when } from './format'
import { enoughInk } from './strokes'

const now = '2026-11-23T09:31:00+08:00'

it('writes days and times as people say them, in Shanghai', () => {
  expect(fullDay('2026-11-23')).toBe('2026年11月23日（周一）')
  expect(fullDay('2026-11-22T17:00:00Z')).toBe('2026年11月23日（周一）')
  expect(fullWhen('2026-11-23T09:31:00+08:00')).toBe('2026年11月23日（周一）09:31')
  expect(shortDay('2026-11-26', now)).toBe('11月26日')
  expect(shortDay('2027-01-04', now)).toBe('2027年1月4日')
  expect(when('2026-11-23T09:12:00+08:00', now)).toBe('今天 09:12')
  expect(when('2026-11-22T23:59:00+08:00', now)).toBe('昨天 23:59')
  expect(when('2026-11-18T15:31:00+08:00', now)).toBe('11月18日 15:31')
  expect([fullDay(''), when('nonsense', now), shortDay(undefined)]).toEqual(['', '', ''])
})

it('writes money, sizes and lengths', () => {
  expect([money(8000), money(618000000), money(-5)]).toEqual(['80.00 元', '6,180,000.00 元', '-0.05 元'])
  expect([fileSize(500), fileSize(400_000), fileSize(100_000_000), fileSize(1_245_000)]).toEqual(['500 字节', '400 KB', '100 MB', '1.2 MB'])
  expect(duration(134_000)).toBe('02:14')
})

it('reads the name of a source', () => {
  expect(sourceName({ sourceText: '来自房管局，今天 09:12' })).toBe('房管局')
  expect(sourceName({ source: 'me', sourceText: '' })).toBe('来源部门')
})

it('knows a signature from a dot', () => {
  const wave = Array.from({ length: 30 }, (_, i) => ({ x: 20 + i * 8, y: 100 + Math.sin(i) * 40 }))
  expect(enoughInk([wave], 350, 200)).toBe(true)
  expect(enoughInk([[{ x: 1, y: 1 }, { x: 2, y: 2 }]], 350, 200)).toBe(false)
})
