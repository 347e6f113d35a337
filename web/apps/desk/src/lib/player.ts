export interface Piece { n: number; size: number }

/**
 * Plays a recording from its pieces, in order, as they arrive. Where the
 * browser cannot take them piece by piece, they are put together first.
 */
export function playPieces(video: HTMLVideoElement, o: { mime: string; durationMs: number; pieces: Piece[]; url: (n: number) => string; onProgress: (share: number) => void; onError: (msg: string) => void; get?: typeof fetch }): () => void {
  const stop = new AbortController()
  const get = o.get ?? ((u: RequestInfo | URL, init?: RequestInit) => fetch(u, init))
  const all = o.pieces.reduce((a, p) => a + p.size, 0) || 1
  const mime = o.mime === '' ? 'video/webm;codecs=vp8,opus' : o.mime
  let address = ''
  let got = 0

  const piece = async (n: number) => {
    const res = await get(o.url(n), { credentials: 'same-origin', signal: stop.signal })
    if (!res.ok) {
      throw new Error(`第 ${n + 1} 段读不出来`)
    }
    const b = await res.arrayBuffer()
    got += b.byteLength
    o.onProgress(Math.min(1, got / all))
    return b
  }
  const fail = (err: unknown) => {
    if (!stop.signal.aborted) {
      o.onError(err instanceof Error && /段/.test(err.message) ? err.message : '录像暂时放不出来')
    }
  }

  async function whole() {
    const parts: ArrayBuffer[] = []
    got = 0
    for (const p of o.pieces) {
      parts.push(await piece(p.n))
    }
    address = URL.createObjectURL(new Blob(parts, { type: mime }))
    video.src = address
  }

  async function pieces(source: MediaSource) {
    const buffer = source.addSourceBuffer(mime)
    const append = (b: ArrayBuffer) => new Promise<void>((done, bad) => {
      buffer.addEventListener('updateend', () => done(), { once: true })
      buffer.addEventListener('error', () => bad(new Error('录像有一段放不出来')), { once: true })
      buffer.appendBuffer(b)
    })
    if (o.durationMs > 0) {
      source.duration = o.durationMs / 1000
    }
    for (const p of o.pieces) {
      await append(await piece(p.n))
    }
    if (source.readyState === 'open') {
      source.endOfStream()
    }
  }

  if (typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(mime)) {
    const source = new MediaSource()
    address = URL.createObjectURL(source)
    source.addEventListener('sourceopen', () => {
      pieces(source).catch((err: unknown) => {
        if (err instanceof DOMException && err.name === 'QuotaExceededError') {
          URL.revokeObjectURL(address)
          whole().catch(fail)
        } else {
          fail(err)
        }
      })
    }, { once: true })
    video.src = address
  } else {
    whole().catch(fail)
  }
  return () => {
    stop.abort()
    video.removeAttribute('src')
    video.load()
    if (address !== '') {
      URL.revokeObjectURL(address)
    }
  }
}
