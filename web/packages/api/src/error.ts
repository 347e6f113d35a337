import type { FieldError } from './types'

/** What the page can do about a failure. */
export type ErrorKind =
  | 'offline' // the network is gone; nothing reached the house, or no answer came back
  | 'login' // nobody is logged in any more
  | 'forbidden'
  | 'notfound' // no such thing, or not yours to see
  | 'conflict' // somebody was here first: loading anew helps
  | 'refused' // it cannot be done as things stand
  | 'invalid'
  | 'toosoon'
  | 'partner' // an outside system is down
  | 'busy' // too many attempts
  | 'toolarge'
  | 'broken' // a fault of the house

/** A refusal or failure in words a person understands, with what the server said about each field. */
export class ApiError extends Error {
  readonly kind: ErrorKind
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly fields: FieldError[]
  /** The number the help desk finds this failure under. */
  readonly ticket: string

  constructor(init: { kind: ErrorKind; status?: number; code?: string; title: string; detail?: string; fields?: FieldError[]; ticket?: string }) {
    super(init.title)
    this.name = 'ApiError'
    this.kind = init.kind
    this.status = init.status ?? 0
    this.code = init.code ?? ''
    this.title = init.title
    this.detail = init.detail ?? ''
    this.fields = init.fields ?? []
    this.ticket = init.ticket ?? ''
  }
}

const byStatus: Record<number, [ErrorKind, string]> = {
  400: ['invalid', '有些内容需要改'],
  401: ['login', '登录已过期，请重新登录'],
  403: ['forbidden', '您没有办这件事的权限'],
  404: ['notfound', '没有找到，或者不是您可以看的'],
  409: ['refused', '现在不能这样办'],
  410: ['notfound', '已失效'],
  412: ['conflict', '刚有人改过，请重新载入后再试'],
  413: ['toolarge', '文件太大'],
  422: ['invalid', '有些内容需要改'],
  425: ['toosoon', '还没到办这一步的时候'],
  429: ['busy', '操作太频繁，请稍等再试'],
  502: ['partner', '对方系统暂时连不上'],
  503: ['partner', '对方系统暂时连不上'],
  504: ['partner', '对方系统暂时没有回应'],
}

/** Refusals that only say the page is older than the case. */
const reloadHelps = /^(case\.version|case\.not_draft|case\.phase|case\.submitted|task\.(taken|over)|consent\.changed)$/

/** The words for a request that got no answer. */
export function offlineError(): ApiError {
  return new ApiError({ kind: 'offline', title: '网络断了，已填的内容还在，联网后会接着保存' })
}

/** Makes the typed error of a response that is not 2xx. */
export async function errorOf(res: Response): Promise<ApiError> {
  const [kind, title] = byStatus[res.status] ?? ['broken', '系统出了问题，已记录，请稍后再试']
  let body: Record<string, unknown> = {}
  try {
    body = (await res.json()) as Record<string, unknown>
  } catch {
    // Not a problem document; the status says enough.
  }
  const text0 = typeof body.code === 'string' ? body.code : ''
  const text = (key: string) => (typeof body[key] === 'string' ? (body[key] as string) : '')
  return new ApiError({
    kind: kind === 'refused' && reloadHelps.test(text0) ? 'conflict' : kind,
    status: res.status,
    code: text('code'),
    title: text('title') || title,
    detail: text('detail'),
    fields: Array.isArray(body.fields) ? (body.fields as FieldError[]) : [],
    ticket: text('ticket'),
  })
}

/** Turns anything thrown into an ApiError. */
export function toApiError(err: unknown): ApiError {
  if (err instanceof ApiError) {
    return err
  }
  return new ApiError({ kind: 'broken', title: '系统出了问题，请稍后再试', detail: err instanceof Error ? err.message : '' })
}
