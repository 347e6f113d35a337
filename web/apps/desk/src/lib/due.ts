import type { Clock } from '@haoban/api'
import { fullDay, shortDay } from '@haoban/ui'

/** The words of a deadline in two: what counts, and the day. */
export function splitDue(c: Clock | null, now?: string): { main: string; day: string } {
  if (c === null) {
    return { main: '', day: '' }
  }
  const m = /^(.+?)（(.+?)止?）$/.exec(c.text)
  return { main: m?.[1] ?? c.text, day: m?.[2] ?? (c.dueDay === '' ? '' : shortDay(c.dueDay, now)) }
}

/** Why the light is as it is, for a pointer and for a screen reader; empty for a clock with time to spare. */
export function lightReason(c: Clock | null): string {
  if (c === null) {
    return ''
  }
  if (c.paused) {
    return '计时停着，停的时间不算在期限里'
  }
  switch (c.light) {
    case 'red': return `已超期：应在${fullDay(c.dueDay)}办结，${c.remaining < 0 ? `晚了 ${-c.remaining} 个工作日` : '已经晚了'}`
    case 'yellow': return c.remaining <= 0 ? `快到期：${fullDay(c.dueDay)}，今天是最后一天` : `快到期：${fullDay(c.dueDay)}止，只剩 ${c.remaining} 个工作日`
    default: return ''
  }
}

/** The class that colours a deadline. */
export const lightClass = (c: Clock | null) => (c?.light === 'red' ? 'bad-text' : c?.light === 'yellow' ? 'soon-text' : '')
