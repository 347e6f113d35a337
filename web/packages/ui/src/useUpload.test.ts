import { ApiError, type CaseView } from '@haoban/api'
import { describe, expect, it, vi } from 'vitest'
import { sm3Hex } from './sm3'
import { type UploadPort, useUpload } from './useUpload'

const memory = () => {
  const m = new Map<string, string>()
  return { m, getItem: (k: string) => m.get(k) ?? null, setItem: (k: string, v: string) => { m.set(k, v) }, removeItem: (k: string) => { m.delete(k) } }
}
const file = new File([new Uint8Array(25)], 'a.pdf', { type: 'application/pdf' })
const at = { caseId: 'c', node: 'n' }

function house(over: Partial<UploadPort> = {}) {
  let offset = 0
  const chunk = vi.fn(async (_id: string, from: number, bytes: ArrayBuffer, _sm3: string) => {
    if (from !== offset) {
      throw new ApiError({ kind: 'refused', status: 409, code: 'upload.offset', title: '' })
    }
    offset += bytes.byteLength
    return { offset }
  })
  const port: UploadPort = {
    beginUpload: vi.fn(async () => ({ id: 'u', offset: 0, chunkSize: 10 })),
    uploadState: vi.fn(async () => ({ offset, size: 25 })),
    uploadChunk: chunk,
    finishUpload: vi.fn(async () => ({ id: 'c' }) as CaseView),
    ...over,
  }
  return { port, chunk, set: (n: number) => { offset = n } }
}

describe('useUpload', () => {
  it('sends pieces with their SM3 and finishes', async () => {
    const h = house()
    const up = useUpload(h.port, { memory: memory() })
    expect(await up.start(file, at)).toEqual({ id: 'c' })
    expect(h.chunk.mock.calls.map(c => c[1])).toEqual([0, 10, 20])
    expect(h.chunk.mock.calls[0]?.[3]).toBe(await sm3Hex(new Uint8Array(10)))
    expect(up.progress.value).toBe(100)
  })

  it('waits out a lost line and goes on where the house stands', async () => {
    const h = house()
    let n = 0
    const real = h.port.uploadChunk
    h.port.uploadChunk = async (id, from, bytes, sm3, signal) => {
      n++
      if (n === 2) {
        await real(id, from, bytes, sm3, signal) // it arrived, the answer did not
        throw new ApiError({ kind: 'offline', title: '' })
      }
      return real(id, from, bytes, sm3, signal)
    }
    const up = useUpload(h.port, { memory: memory(), wait: async () => {} })
    expect(await up.start(file, at)).toEqual({ id: 'c' })
    expect(up.status.value).toBe('done')
  })

  it('goes on with the same file on another visit', async () => {
    const h = house()
    const m = memory()
    m.setItem(`upload:c:n:a.pdf:25:${file.lastModified}`, 'u|10')
    h.set(20)
    const up = useUpload(h.port, { memory: m })
    await up.start(file, at)
    expect(h.port.beginUpload).not.toHaveBeenCalled()
    expect(h.chunk.mock.calls.map(c => c[1])).toEqual([20])
    expect(m.m.size).toBe(0)
  })

  it('says why it was refused', async () => {
    const h = house({ beginUpload: async () => { throw new ApiError({ kind: 'toolarge', status: 413, title: '这项材料最大 5 MB' }) } })
    const up = useUpload(h.port, { memory: memory() })
    expect(await up.start(file, at)).toBeUndefined()
    expect([up.status.value, up.message.value]).toEqual(['failed', '这项材料最大 5 MB'])
  })
})

it('hashes as GB/T 32905 says', async () => {
  expect(await sm3Hex(new TextEncoder().encode('abc'))).toBe('66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0')
})
