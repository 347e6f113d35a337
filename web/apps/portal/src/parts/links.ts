import type { CaseRow, Property, Todo } from '@haoban/api'

/** Where a person goes to see or go on with a case. */
export function caseLink(row: Pick<CaseRow, 'id' | 'phase'>): string {
  return row.phase === 'draft' ? `/filing/${row.id}` : `/cases/${row.id}`
}

/** Where a to-do leads; the server's word goes first when it is a page of this site. */
export function todoLink(t: Todo): string {
  if (t.to.startsWith('/') && !t.to.startsWith('//') && !t.to.startsWith('/api/')) {
    return t.to
  }
  switch (t.kind) {
    case 'consent':
    case 'sign': return t.consentId ? `/consents/${t.consentId}` : `/cases/${t.caseId}`
    case 'draft': return `/filing/${t.caseId}`
    case 'pay': return `/cases/${t.caseId}#fee`
    default: return `/cases/${t.caseId}#supplement`
  }
}

/** What lies on a property, one tag each. */
export function statusOf(p: Property): { code: string; text: string }[] {
  return typeof p.status === 'string' ? p.status.split(/[，,；;]/).filter(Boolean).map(text => ({ code: text, text })) : p.status
}
