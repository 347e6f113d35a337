import { ApiError } from '@haoban/api'
import { describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useRecorder } from './useRecorder'

const questions = [{ id: 'q1', text: '一' }, { id: 'q2', text: '二' }]

class FakeRecorder extends EventTarget {
  state = 'inactive'
  ondataavailable: ((e: { data: Blob }) => void) | null = null
  start() { this.state = 'recording' }
  piece(text: string) { this.ondataavailable?.({ data: new Blob([text]) }) }
  stop() {
    this.state = 'inactive'
    this.piece('last')
    this.dispatchEvent(new Event('stop'))
  }
}

function setup(over: Record<string, unknown> = {}) {
  const fake = new FakeRecorder()
  const stop = vi.fn()
  const port = { start: vi.fn(async () => ({ recordingId: 'r' })), chunk: vi.fn(async (_id: string, _n: number, _b: ArrayBuffer, _s: string, _k: string) => {}), finish: vi.fn(async (_id: string, _body: unknown, _key: string) => {}) }
  const rec = effectScope().run(() => useRecorder(port, () => questions, {
    media: async () => ({ getTracks: () => [{ stop }] }) as unknown as MediaStream,
    record: () => fake as unknown as MediaRecorder,
    supports: () => true,
    wait: async () => {},
    ...over,
  }))!
  return { rec, fake, port, stop }
}

describe('useRecorder', () => {
  it('asks one question after another and sends every piece in order before it finishes', async () => {
    const { rec, fake, port, stop } = setup()
    await rec.prepare()
    await rec.begin()
    fake.piece('a')
    await rec.next()
    fake.piece('b')
    await rec.next()
    expect(port.chunk.mock.calls.map(c => c[1])).toEqual([0, 1, 2])
    expect(port.chunk.mock.calls.every(c => c[3].length === 64)).toBe(true)
    expect((port.finish.mock.calls[0]?.[1] as { answers: { q: string }[] }).answers.map(a => a.q)).toEqual(['q1', 'q2'])
    expect(rec.state.value).toBe('done')
    expect(stop).toHaveBeenCalled()
  })

  it('keeps a piece and its key until it has arrived', async () => {
    const { rec, fake, port } = setup()
    port.chunk.mockRejectedValueOnce(new ApiError({ kind: 'offline', title: '' }))
    await rec.prepare()
    await rec.begin()
    fake.piece('a')
    await rec.next()
    await rec.next()
    const calls = port.chunk.mock.calls
    expect(calls.map(c => c[1])).toEqual([0, 0, 1])
    expect(calls[0]?.[4]).toBe(calls[1]?.[4])
    expect(rec.state.value).toBe('done')
  })

  it('says that it was not allowed', async () => {
    const { rec } = setup({ media: async () => { throw Object.assign(new Error(''), { name: 'NotAllowedError' }) } })
    await rec.prepare()
    expect(rec.state.value).toBe('denied')
  })

  it('says that the device cannot', async () => {
    const none = setup({ media: async () => { throw Object.assign(new Error(''), { name: 'NotFoundError' }) } })
    await none.rec.prepare()
    expect(none.rec.state.value).toBe('nodevice')
    const old = setup({ supports: () => false })
    await old.rec.prepare()
    expect(old.rec.state.value).toBe('unsupported')
  })
})
