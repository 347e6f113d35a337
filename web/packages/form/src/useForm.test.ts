import { ApiError, type CaseForm } from '@haoban/api'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { useForm } from './useForm'

const form = (data: Record<string, unknown> = {}): CaseForm => ({ schema: {}, ui: { parts: [] }, data, facts: [], errors: [], complete: {} })

function memory() {
  const m = new Map<string, string>()
  return { getItem: (k: string) => m.get(k) ?? null, setItem: (k: string, v: string) => { m.set(k, v) }, removeItem: (k: string) => { m.delete(k) } }
}

const saved = (version: number) => ({ version, savedAt: '2026-11-23T09:21:00+08:00', errors: [] })

describe('useForm', () => {
  beforeEach(() => { vi.useFakeTimers() })

  it('saves a moment after the last change, only what changed', async () => {
    const save = vi.fn().mockResolvedValue(saved(2))
    const f = useForm('c1', 1, form({ a: 1 }), { save }, { memory: memory() })
    f.set('b', 'x')
    f.set('b', 'xy')
    expect(save).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(700)
    expect(save).toHaveBeenCalledTimes(1)
    expect(save.mock.calls[0]?.slice(0, 2)).toEqual([1, { b: 'xy' }])
    expect(f.version.value).toBe(2)
    expect(f.state.value).toBe('saved')
  })

  it('sends a list whole and clears with null', async () => {
    const save = vi.fn().mockResolvedValue(saved(2))
    const f = useForm('c1', 1, form({ l: [{ n: 1 }, { n: 2 }], z: 1 }), { save }, { memory: memory() })
    f.set('l.1.n', 3)
    f.set('z', undefined)
    await f.flush()
    expect(save.mock.calls[0]?.[1]).toEqual({ l: [{ n: 1 }, { n: 3 }], z: null })
  })

  it('keeps typing while offline and sends it later', async () => {
    const save = vi.fn().mockRejectedValueOnce(new ApiError({ kind: 'offline', title: '' })).mockResolvedValue(saved(2))
    const m = memory()
    const f = useForm('c1', 1, form(), { save }, { memory: m })
    f.set('a', 1)
    await vi.advanceTimersByTimeAsync(700)
    expect(f.state.value).toBe('offline')
    expect(m.getItem('form:c1')).toContain('"a":1')
    f.set('b', 2)
    await vi.advanceTimersByTimeAsync(6000)
    expect(f.state.value).toBe('saved')
    expect(m.getItem('form:c1')).toBeNull()
  })

  it('stops at a conflict and goes on top of the newer version', async () => {
    const save = vi.fn().mockRejectedValueOnce(new ApiError({ kind: 'conflict', title: '' })).mockResolvedValue(saved(9))
    const f = useForm('c1', 1, form({ a: 1 }), { save }, { memory: memory() })
    f.set('b', 2)
    await vi.advanceTimersByTimeAsync(700)
    expect(f.state.value).toBe('conflict')
    f.rebase(8, form({ a: 5 }))
    expect(f.data.value).toEqual({ a: 5, b: 2 })
    await vi.advanceTimersByTimeAsync(700)
    expect(save.mock.calls[1]?.slice(0, 2)).toEqual([8, { b: 2 }])
    expect(f.state.value).toBe('saved')
  })

  it('takes up what an earlier visit could not send', async () => {
    const m = memory()
    m.setItem('form:c1', '{"a":7}')
    const save = vi.fn().mockResolvedValue(saved(2))
    const f = useForm('c1', 1, form({ a: 1 }), { save }, { memory: m })
    expect(f.get('a')).toBe(7)
    await vi.advanceTimersByTimeAsync(700)
    expect(save).toHaveBeenCalledOnce()
  })

  it('keeps what is typed while a save is under way', async () => {
    let done: (v: unknown) => void = () => {}
    const save = vi.fn().mockImplementationOnce(() => new Promise((r) => { done = r })).mockResolvedValue(saved(3))
    const f = useForm('c1', 1, form(), { save }, { memory: memory() })
    f.set('a', 1)
    await vi.advanceTimersByTimeAsync(700)
    f.set('a', 2)
    done(saved(2))
    await vi.advanceTimersByTimeAsync(1500)
    expect(save.mock.calls[1]?.slice(0, 2)).toEqual([2, { a: 2 }])
    expect(f.unsaved.value).toBe(false)
  })

  it('sends a lost save again just as it was, then the rest', async () => {
    const save = vi.fn().mockRejectedValueOnce(new ApiError({ kind: 'offline', title: '' })).mockResolvedValueOnce(saved(2)).mockResolvedValue(saved(3))
    const f = useForm('c1', 1, form(), { save }, { memory: memory() })
    f.set('a', 1)
    await vi.advanceTimersByTimeAsync(700)
    f.set('b', 2)
    await vi.advanceTimersByTimeAsync(2000)
    expect(save.mock.calls[1]).toEqual(save.mock.calls[0])
    expect(save.mock.calls[2]?.slice(0, 2)).toEqual([2, { b: 2 }])
  })

  it('does not let one bad answer hold up the others', async () => {
    const save = vi.fn().mockRejectedValueOnce(new ApiError({ kind: 'invalid', title: '', fields: [{ path: 'a', rule: 'type', msg: '应为数字' }] })).mockResolvedValue(saved(2))
    const f = useForm('c1', 1, form(), { save }, { memory: memory() })
    f.set('a', 'x')
    f.set('b', 2)
    await vi.advanceTimersByTimeAsync(700)
    expect(save.mock.calls[1]?.[1]).toEqual({ b: 2 })
    expect(f.state.value).toBe('failed')
    expect(f.get('a')).toBe('x')
    expect(f.shown.value.map(e => e.msg)).toEqual(['应为数字'])
    f.set('a', 3)
    await vi.advanceTimersByTimeAsync(700)
    expect(save.mock.calls[2]?.[1]).toEqual({ a: 3 })
    expect(f.state.value).toBe('saved')
  })

  it('sends single answers inside a list that a source keeps', async () => {
    const save = vi.fn().mockResolvedValue(saved(2))
    const locked = form({ buyers: [{ name: '甲' }] })
    locked.facts = [{ path: 'buyers', label: '', value: '', masked: false, source: '', sourceText: '', at: '', locked: true, state: 'ok' }]
    const f = useForm('c1', 1, locked, { save }, { memory: memory() })
    f.set('buyers.0.share', '1/2')
    await f.flush()
    expect(save.mock.calls[0]?.[1]).toEqual({ 'buyers.0.share': '1/2' })
  })
})
