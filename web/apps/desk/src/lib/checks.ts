import type { Check } from '@haoban/api'

/** Verdicts as an official reads them. */
export const deskVerdicts: Record<string, string> = { PASS: '通过', BLOCK: '不能办', CONSENT: '需他人同意', RISK_ACK: '申请人已知悉', MANUAL: '请您核对', WARN: '存疑' }

/** 规则检查 14 项：13 项通过，1 项请您核对. */
export function checkSummary(checks: Pick<Check, 'verdict'>[]): string {
  if (checks.length === 0) {
    return ''
  }
  const n = new Map<string, number>()
  checks.forEach(c => n.set(c.verdict, (n.get(c.verdict) ?? 0) + 1))
  const say = ['PASS', 'BLOCK', 'WARN', 'MANUAL', 'CONSENT', 'RISK_ACK'].filter(v => n.has(v)).map(v => `${n.get(v)} 项${deskVerdicts[v]}`)
  return `规则检查 ${checks.length} 项：${say.join('，')}`
}
