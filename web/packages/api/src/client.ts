import { errorOf, offlineError } from './error'

export type Query = Record<string, string | number | boolean | undefined | null>

export interface CallOptions {
  query?: Query
  /** One key per user action; pass the same key when the action is tried again. */
  key?: string
  signal?: AbortSignal
  headers?: Record<string, string>
}

export interface ClientOptions {
  /** Such as "/api/v1/public". */
  base: string
  fetch?: typeof fetch
  /** Called when the house says nobody is logged in. */
  onLogin?: () => void
  /** Fetches a fresh CSRF token after the old one was refused. */
  refresh?: () => Promise<string>
}

export interface Client {
  readonly base: string
  csrf: string
  get: <T>(path: string, options?: CallOptions) => Promise<T>
  post: <T>(path: string, body?: unknown, options?: CallOptions) => Promise<T>
  put: <T>(path: string, body?: unknown, options?: CallOptions) => Promise<T>
  patch: <T>(path: string, body?: unknown, options?: CallOptions) => Promise<T>
  del: <T>(path: string, options?: CallOptions) => Promise<T>
  /** Sends bytes as they are. */
  bytes: <T>(method: 'PUT' | 'POST', path: string, body: BodyInit, options?: CallOptions) => Promise<T>
  url: (path: string, query?: Query) => string
}

/** A fresh idempotency key. */
export function newKey(): string {
  if (typeof crypto !== 'undefined' && 'randomUUID' in crypto) {
    return crypto.randomUUID()
  }
  const b = new Uint8Array(16)
  globalThis.crypto.getRandomValues(b)
  b[6] = (b[6]! & 0x0f) | 0x40
  b[8] = (b[8]! & 0x3f) | 0x80
  const h = [...b].map(x => x.toString(16).padStart(2, '0')).join('')
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
}

/** Makes the client of one audience. It throws ApiError and nothing else, except an abort. */
export function createClient(options: ClientOptions): Client {
  const doFetch = options.fetch ?? ((input: RequestInfo | URL, init?: RequestInit) => fetch(input, init))

  const url = (path: string, query?: Query) => {
    const q = new URLSearchParams()
    for (const [k, v] of Object.entries(query ?? {})) {
      if (v !== undefined && v !== null && v !== '') {
        q.set(k, String(v))
      }
    }
    const s = q.toString()
    return options.base + path + (s === '' ? '' : (path.includes('?') ? '&' : '?') + s)
  }

  async function once(method: string, path: string, body: BodyInit | undefined, type: string, call: CallOptions): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...call.headers }
    if (type !== '') {
      headers['Content-Type'] = type
    }
    if (method !== 'GET') {
      headers['X-CSRF'] = client.csrf
      headers['Idempotency-Key'] = call.key ?? newKey()
    }
    try {
      return await doFetch(url(path, call.query), { method, headers, body, credentials: 'same-origin', signal: call.signal })
    } catch (err) {
      if (err instanceof DOMException && err.name === 'AbortError') {
        throw err
      }
      throw offlineError()
    }
  }

  async function send<T>(method: string, path: string, body: BodyInit | undefined, type: string, call: CallOptions = {}): Promise<T> {
    const withKey = { ...call, key: call.key ?? newKey() }
    let res = await once(method, path, body, type, withKey)
    if (res.status === 403 && options.refresh !== undefined && method !== 'GET') {
      const err = await errorOf(res.clone())
      if (err.code.includes('csrf')) {
        client.csrf = await options.refresh()
        res = await once(method, path, body, type, withKey)
      }
    }
    if (!res.ok) {
      const err = await errorOf(res)
      if (err.kind === 'login') {
        options.onLogin?.()
      }
      throw err
    }
    if (res.status === 204 || res.headers.get('Content-Length') === '0') {
      return undefined as T
    }
    const text = await res.text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  const json = <T>(method: string, path: string, body: unknown, call?: CallOptions) =>
    send<T>(method, path, body === undefined ? undefined : JSON.stringify(body), body === undefined ? '' : 'application/json', call)

  const client: Client = {
    base: options.base,
    csrf: '',
    url,
    get: (path, call) => send('GET', path, undefined, '', call),
    post: (path, body = {}, call) => json('POST', path, body, call),
    put: (path, body = {}, call) => json('PUT', path, body, call),
    patch: (path, body = {}, call) => json('PATCH', path, body, call),
    del: (path, call) => send('DELETE', path, undefined, '', call),
    bytes: (method, path, body, call) => send(method, path, body, 'application/octet-stream', call),
  }
  return client
}
