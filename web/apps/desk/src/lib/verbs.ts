import type { DeskTask, DeskView, Verb } from '@haoban/api'

/** What a person fills in for a verb. */
export interface VerbValues {
  reason: string
  to: string
  person: string
  persons: string[]
  materials: string[]
  depts: string[]
  code: string
  days: string
}

export const emptyValues = (): VerbValues => ({ reason: '', to: '', person: '', persons: [], materials: [], depts: [], code: '', days: '' })

/** Verbs about one task rather than the case. */
const ofTask = new Set(['return', 'transfer', 'cosign', 'jointsign'])

/** The task the verbs are about: the first of the process that is one's own. */
export const verbTask = (v: Pick<DeskView, 'tasks'>): DeskTask | undefined => v.tasks.find(t => t.mine && t.kind === 'process')

/** What still has to be filled in, by field; empty when the verb can be sent. */
export function verbErrors(verb: Verb, x: VerbValues): Partial<Record<keyof VerbValues, string>> {
  const out: Partial<Record<keyof VerbValues, string>> = {}
  const needs = new Set<string>(verb.needs)
  if (needs.has('reason') && x.reason.trim() === '') {
    out.reason = verb.id === 'consult' ? '请写明征询什么' : '请写明理由'
  }
  if (needs.has('to') && x.to === '') {
    out.to = '请选退回到哪一步'
  }
  if (needs.has('person') && x.person === '') {
    out.person = '请选一位同事'
  }
  if (needs.has('persons') && x.persons.length < 2) {
    out.persons = '请选两位以上同事'
  }
  if (needs.has('materials') && x.materials.length === 0) {
    out.materials = '请选要补的材料'
  }
  if (needs.has('depts') && x.depts.length === 0) {
    out.depts = '请选要征询的部门'
  }
  if (needs.has('code') && x.code === '') {
    out.code = '请选属于哪种情形'
  }
  if (x.days !== '' && !/^[1-9]\d{0,2}$/.test(x.days)) {
    out.days = '请填工作日数，如 10'
  }
  return out
}

/** The body a verb is sent with. */
export function verbBody(verb: Verb, x: VerbValues, task: string): Record<string, unknown> {
  const needs = new Set<string>(verb.needs)
  const out: Record<string, unknown> = {}
  if (ofTask.has(verb.id)) {
    out.task = task
  }
  if (needs.has('reason') && x.reason.trim() !== '') {
    out.reason = x.reason.trim()
  }
  if (needs.has('to')) {
    out.to = x.to
  }
  if (needs.has('person')) {
    if (verb.id === 'transfer') {
      out.to = x.person
    } else {
      out.persons = [x.person]
    }
  }
  if (needs.has('persons')) {
    out.persons = x.persons
  }
  if (needs.has('materials')) {
    out.items = x.materials.map(node => ({ node, name: verb.options?.materials?.find(m => m.id === node)?.name ?? '' }))
  }
  if (needs.has('code')) {
    out.code = x.code
  }
  if (needs.has('days') && x.days !== '') {
    out.days = Number(x.days)
  }
  return out
}

/** The name of the act on the button, naming the choice where there is one. */
export function verbButton(verb: Verb, x: VerbValues): string {
  const name = (list: { id: string; name: string }[] | undefined, id: string) => list?.find(c => c.id === id)?.name ?? ''
  if (verb.id === 'return' && x.to !== '') {
    return `退回到${name(verb.options?.to, x.to)}`
  }
  if (verb.id === 'transfer' && x.person !== '') {
    return `转给${name(verb.options?.persons, x.person)}`
  }
  if (verb.id === 'cosign' && x.person !== '') {
    return `请${name(verb.options?.persons, x.person)}加签`
  }
  if (verb.id === 'jointsign' && x.persons.length > 1) {
    return `请 ${x.persons.length} 位同事会签`
  }
  if (verb.id === 'supplement' && x.materials.length > 0) {
    return `要求补正 ${x.materials.length} 项`
  }
  if (verb.id === 'consult' && x.depts.length > 0) {
    return `征询 ${x.depts.length} 个部门`
  }
  return verb.label
}
