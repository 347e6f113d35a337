/* Dates, money and sizes in the words of the house. All dates are Shanghai's, whatever the device thinks. */

const week = '日一二三四五六'

interface Parts { y: number; m: number; d: number; hm: string; w: number }

function parts(text: string): Parts | null {
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  let at: Date
  if (day) {
    at = new Date(`${text}T00:00:00+08:00`)
  } else {
    at = new Date(text)
  }
  if (Number.isNaN(at.getTime())) {
    return null
  }
  const s = new Date(at.getTime() + 8 * 3600_000)
  return { y: s.getUTCFullYear(), m: s.getUTCMonth() + 1, d: s.getUTCDate(), w: s.getUTCDay(), hm: s.toISOString().slice(11, 16) }
}

/** 2026年11月23日（周一） */
export function fullDay(text: string | undefined): string {
  const p = text === undefined ? null : parts(text)
  return p === null ? '' : `${p.y}年${p.m}月${p.d}日（周${week[p.w]}）`
}

/** 11月23日; with the year where it is not this one. */
export function shortDay(text: string | undefined, now = new Date().toISOString()): string {
  const p = text === undefined ? null : parts(text)
  if (p === null) {
    return ''
  }
  return p.y === parts(now)?.y ? `${p.m}月${p.d}日` : `${p.y}年${p.m}月${p.d}日`
}

/** 今天 09:12, 昨天 15:20, 11月20日 15:20. */
export function when(text: string | undefined, now = new Date().toISOString()): string {
  const p = text === undefined ? null : parts(text)
  const n = parts(now)
  if (p === null || n === null || text === undefined) {
    return ''
  }
  const days = Math.round((Date.UTC(n.y, n.m - 1, n.d) - Date.UTC(p.y, p.m - 1, p.d)) / 86_400_000)
  const day = days === 0 ? '今天' : days === 1 ? '昨天' : shortDay(text, now)
  return `${day} ${p.hm}`
}

/** 2026年11月23日（周一）09:31 */
export function fullWhen(text: string | undefined): string {
  const p = text === undefined ? null : parts(text)
  return p === null ? '' : `${fullDay(text)}${p.hm}`
}

/** 上午好 and so on, by Shanghai's hour. */
export function greeting(now: string): string {
  const h = Number((parts(now)?.hm ?? '12').slice(0, 2))
  return h < 5 ? '您好' : h < 12 ? '上午好' : h < 18 ? '下午好' : '晚上好'
}

/** 分 to 80.00 元. */
export function money(fen: number): string {
  const yuan = Math.trunc(Math.abs(fen) / 100).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return `${fen < 0 ? '-' : ''}${yuan}.${String(Math.abs(fen) % 100).padStart(2, '0')} 元`
}

export function fileSize(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} 字节`
  }
  if (bytes < 1_000_000) {
    return `${Math.round(bytes / 1000)} KB`
  }
  return `${(bytes / 1_000_000).toFixed(1).replace('.0', '')} MB`
}

/** 02:14 */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  return `${String(Math.trunc(s / 60)).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}`
}

/** The name of a source as its line says it: 来自房管局，今天 09:12 → 房管局. */
export function sourceName(f: { source?: string; sourceText?: string }): string {
  return /^(?:来自|取自)([^，,]+)/.exec(f.sourceText ?? '')?.[1] ?? (/[\u4e00-\u9fff]/.test(f.source ?? '') ? f.source! : '来源部门')
}
