import { describe, expect, it, vi } from 'vitest'
import { useAction } from './action'
import { createClient } from './client'
import { ApiError } from './error'
import { listen } from './events'

const answer = (status: number, body: unknown) => new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })

describe('client', () => {
  it('sends token and key with what changes something, and neither with what reads', async () => {
    const fetch = vi.fn(async (_url: RequestInfo | URL, _init?: RequestInit) => answer(200, { ok: true }))
    const c = createClient({ base: '/api', fetch })
    c.csrf = 't'
    await c.get('/a', { query: { q: '加名', empty: '', none: undefined } })
    await c.post('/b', { x: 1 }, { key: 'k1' })
    expect(fetch.mock.calls[0]?.[0]).toBe('/api/a?q=%E5%8A%A0%E5%90%8D')
    expect(fetch.mock.calls[0]?.[1]?.headers).not.toHaveProperty('X-CSRF')
    expect(fetch.mock.calls[1]?.[1]?.headers).toMatchObject({ 'X-CSRF': 't', 'Idempotency-Key': 'k1' })
  })

  it('turns a problem into an error with its fields and ticket', async () => {
    const c = createClient({ base: '', fetch: async () => answer(422, { code: 'form.invalid', title: '有内容需要改', fields: [{ path: 'a', rule: 'type', msg: '应为数字' }], ticket: 'T1' }) })
    await expect(c.put('/a')).rejects.toMatchObject({ kind: 'invalid', code: 'form.invalid', title: '有内容需要改', ticket: 'T1', fields: [{ path: 'a' }] })
  })

  it('tells an older page from a refusal', async () => {
    const code = (x: string) => createClient({ base: '', fetch: async () => answer(409, { code: x, title: '不行' }) }).post('/a')
    await expect(code('case.version')).rejects.toMatchObject({ kind: 'conflict' })
    await expect(code('fee.paid')).rejects.toMatchObject({ kind: 'refused' })
  })

  it('names a lost line', async () => {
    const c = createClient({ base: '', fetch: async () => { throw new TypeError('failed') } })
    await expect(c.get('/a')).rejects.toMatchObject({ kind: 'offline' })
  })

  it('asks for a new token once, with the same key', async () => {
    const fetch = vi.fn(async (_u: RequestInfo | URL, init?: RequestInit) => ((init?.headers as Record<string, string>)['X-CSRF'] === 'new' ? answer(200, 1) : answer(403, { code: 'session.csrf', title: '' })))
    const c = createClient({ base: '', fetch, refresh: async () => 'new' })
    expect(await c.post('/a', {})).toBe(1)
    const keys = fetch.mock.calls.map(x => (x[1]?.headers as Record<string, string>)['Idempotency-Key'])
    expect(keys[0]).toBe(keys[1])
  })

  it('says when nobody is logged in', async () => {
    const onLogin = vi.fn()
    const c = createClient({ base: '', onLogin, fetch: async () => answer(401, {}) })
    await expect(c.get('/a')).rejects.toBeInstanceOf(ApiError)
    expect(onLogin).toHaveBeenCalledOnce()
  })
})

describe('useAction', () => {
  it('keeps its key while an answer is missing and takes a new one after an answer', async () => {
    const keys: string[] = []
    let fail: ApiError | null = new ApiError({ kind: 'offline', title: '' })
    const a = useAction(async (key: string, _x: number) => {
      keys.push(key)
      if (fail !== null) {
        throw fail
      }
      return 1
    })
    await a.run(1)
    await a.run(1)
    expect(a.error.value?.kind).toBe('offline')
    fail = null
    expect(await a.run(1)).toBe(1)
    await a.run(1)
    expect(keys[0]).toBe(keys[1])
    expect(keys[1]).toBe(keys[2])
    expect(keys[3]).not.toBe(keys[2])
  })

  it('does nothing on a second press', async () => {
    const fn = vi.fn(() => new Promise<number>(r => setTimeout(() => r(1), 5)))
    const a = useAction(fn)
    const [x, y] = await Promise.all([a.run(), a.run()])
    expect([x, y]).toEqual([1, undefined])
    expect(fn).toHaveBeenCalledOnce()
  })
})

describe('listen', () => {
  it('comes back after the line was lost and says so', () => {
    vi.useFakeTimers()
    const made: { onopen?: () => void; onerror?: () => void; close: () => void; handlers: Record<string, (e: unknown) => void>; addEventListener: (n: string, h: (e: unknown) => void) => void }[] = []
    const back = vi.fn()
    const got = vi.fn()
    const l = listen('/e', {
      on: { case: got },
      onBack: back,
      make: () => {
        const s = { handlers: {} as Record<string, (e: unknown) => void>, close: vi.fn(), addEventListener(n: string, h: (e: unknown) => void) { this.handlers[n] = h } }
        made.push(s)
        return s as unknown as EventSource
      },
    })
    made[0]?.onopen?.()
    made[0]?.handlers.case?.({ data: '{"id":"c1"}' })
    expect(got).toHaveBeenCalledWith({ id: 'c1' })
    made[0]?.onerror?.()
    vi.advanceTimersByTime(1100)
    expect(made).toHaveLength(2)
    made[1]?.onopen?.()
    expect(back).toHaveBeenCalledOnce()
    l.close()
    vi.useRealTimers()
  })
})
