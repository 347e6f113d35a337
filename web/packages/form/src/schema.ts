import type { Fact, FieldError, FormUi, JsonSchema, UiField } from '@haoban/api'
import { districts } from '@haoban/terms'
import { at, holds } from './when'

/** A part with its fields by path. */
export interface Part { id: string; title: string; hint: string; fields: string[]; when?: string; who?: string }

/** The ui file, read: parts by path, and how each field is asked. */
export interface Ui { parts: Part[]; fields: Record<string, UiField> }

/** Reads a ui file, in which a field is its path or an object with more. */
export function readUi(ui: FormUi): Ui {
  const fields: Record<string, UiField> = {}
  const parts = ui.parts.map(p => ({
    id: p.id,
    title: p.title,
    hint: p.hint ?? '',
    when: p.when,
    who: p.who,
    fields: p.fields.map((f) => {
      if (typeof f === 'string') {
        return f
      }
      fields[f.path] = f
      return f.path
    }),
  }))
  return { parts, fields }
}

export type Widget = 'text' | 'textarea' | 'number' | 'money' | 'date' | 'choice' | 'choices' | 'yesno' | 'select' | 'check' | 'list' | 'group' | 'mobile' | 'share'

/** One thing to ask, resolved from schema and ui. */
export interface Item {
  path: string
  schema: JsonSchema
  ui: Partial<UiField>
  label: string
  hint: string
  widget: Widget
  required: boolean
  options: { value: string; text: string; hint?: string; raw: unknown }[]
}

/** Follows $ref inside the document. */
export function deref(schema: JsonSchema | undefined, root: JsonSchema): JsonSchema {
  let s = schema ?? {}
  for (let i = 0; s.$ref !== undefined && i < 8; i++) {
    const target = s.$ref.startsWith('#/') ? at(root, s.$ref.slice(2).replaceAll('/', '.')) : undefined
    const { $ref: _ref, ...rest } = s
    s = { ...((target as JsonSchema | undefined) ?? {}), ...rest }
  }
  return s
}

/** The schema at a dotted path; numbers and "*" step into lists. */
export function schemaAt(root: JsonSchema, path: string): { schema: JsonSchema; required: boolean } {
  let s = deref(root, root)
  let required = false
  for (const key of path === '' ? [] : path.split('.')) {
    if (/^(\d+|\*)$/.test(key) && s.items !== undefined) {
      s = deref(s.items, root)
      required = false
    } else {
      required = s.required?.includes(key) ?? false
      s = deref(s.properties?.[key], root)
    }
  }
  return { schema: s, required }
}

const typeOf = (s: JsonSchema) => (Array.isArray(s.type) ? s.type.find(t => t !== 'null') : s.type) ?? (s.properties !== undefined ? 'object' : s.items !== undefined ? 'array' : 'string')

function choices(s: JsonSchema, ui: Partial<UiField>): Item['options'] {
  const label = (raw: unknown, fallback?: string) => ui.options?.[String(raw)]?.text ?? s['x-labels']?.[String(raw)] ?? fallback ?? String(raw)
  const hint = (raw: unknown, fallback?: string) => ui.options?.[String(raw)]?.hint ?? fallback
  if ((s['x-format'] ?? s.format) === 'district') {
    return districts.map(([value, text]) => ({ value, text, raw: value }))
  }
  if (s.oneOf?.every(o => 'const' in o) === true) {
    return s.oneOf.map(o => ({ value: String(o.const), text: label(o.const, o.title), hint: hint(o.const, o.description), raw: o.const }))
  }
  return (s.enum ?? []).filter(v => v !== null && v !== '').map(v => ({ value: String(v), text: label(v), hint: hint(v), raw: v }))
}

function widgetOf(s: JsonSchema, ui: Partial<UiField>, root: JsonSchema, options: Item['options']): Widget {
  const asked = ui.widget as Widget | undefined
  const format = s['x-format'] ?? s.format
  switch (typeOf(s)) {
    case 'object': return 'group'
    case 'array': return typeOf(deref(s.items, root)) === 'object' ? 'list' : 'choices'
    case 'boolean': return asked === 'check' || s.const === true ? 'check' : 'yesno'
    case 'integer':
    case 'number': return format === 'money' ? 'money' : options.length > 0 ? 'choice' : 'number'
    default:
      if (options.length > 0) {
        return asked === 'select' || options.length > 7 ? 'select' : 'choice'
      }
      if (format === 'date') {
        return 'date'
      }
      if (format === 'mobile') {
        return 'mobile'
      }
      if (format === 'share') {
        return 'share'
      }
      return asked === 'textarea' || (s.maxLength ?? 0) > 200 ? 'textarea' : 'text'
  }
}

/** What to ask at a path. */
export function item(root: JsonSchema, ui: Ui, path: string): Item {
  const { schema, required } = schemaAt(root, path)
  const generic = path.replace(/\.\d+(?=\.|$)/g, '.*')
  const u: Partial<UiField> = ui.fields[path] ?? ui.fields[generic] ?? {}
  const itemsSchema = deref(schema.items, root)
  const options = typeOf(schema) === 'array' ? choices(itemsSchema, u) : choices(schema, u)
  return {
    path,
    schema,
    ui: u,
    label: schema.title ?? path.split('.').pop() ?? path,
    hint: u.hint ?? schema['x-hint'] ?? schema.description ?? '',
    widget: widgetOf(schema, u, root, options),
    required,
    options,
  }
}

/** The fields of an object, in the order they are written. */
export function children(root: JsonSchema, path: string): string[] {
  const { schema } = schemaAt(root, path)
  return Object.keys(schema.properties ?? {}).map(k => (path === '' ? k : `${path}.${k}`))
}

/** The parts this applicant has to look at, given what is answered so far. */
export function visibleParts(ui: Ui, data: Record<string, unknown>, who = 'applicant'): Part[] {
  return ui.parts.filter(p => (p.who === undefined || p.who === '' || p.who === who) && holds(p.when, data))
}

/** Whether an error at `path` belongs to one of these fields. */
export function covers(fields: string[], path: string): boolean {
  return fields.some(f => path === f || path.startsWith(`${f}.`) || f.startsWith(`${path}.`))
}

const groupSize = 3

/**
 * Cuts a part into pages of one small group each for a phone: a list or an
 * object has a page of its own, other questions go three at a time. What is
 * only shown (`told`) does not count, nor a question that follows from another.
 */
export function pagesOf(root: JsonSchema, ui: Ui, fields: string[], told: (path: string) => boolean = () => false): string[][] {
  const pages: string[][] = []
  let page: string[] = []
  let asked = 0
  const flush = () => {
    if (page.length > 0) {
      pages.push(page)
      page = []
      asked = 0
    }
  }
  for (const f of fields) {
    const it = item(root, ui, f)
    if ((it.widget === 'list' || it.widget === 'group') && !told(f)) {
      flush()
      pages.push([f])
      continue
    }
    const counts = !told(f) && it.ui.when === undefined
    if (counts && asked === groupSize) {
      flush()
    }
    page.push(f)
    asked += counts ? 1 : 0
  }
  flush()
  return pages
}

/** How a value reads on the check page. */
export function display(it: Item, value: unknown): string {
  if (value === undefined || value === null || value === '') {
    return ''
  }
  switch (it.widget) {
    case 'yesno':
    case 'check': return value === true ? '是' : '否'
    case 'money': {
      const fen = Number(value)
      const yuan = Math.trunc(Math.abs(fen) / 100).toString().replace(/\B(?=(\d{3})+$)/g, ',')
      return `${fen < 0 ? '-' : ''}${yuan}.${String(Math.abs(fen) % 100).padStart(2, '0')} 元`
    }
    case 'date': {
      const m = /^(\d{4})-(\d\d)-(\d\d)/.exec(String(value))
      return m === null ? String(value) : `${m[1]}年${Number(m[2])}月${Number(m[3])}日`
    }
    case 'choices': return Array.isArray(value) ? value.map(v => it.options.find(o => o.value === String(v))?.text ?? String(v)).join('、') : String(value)
    case 'list': return Array.isArray(value) ? `${value.length} 项` : ''
    case 'share': return shareText(String(value))
    default: {
      const named = it.options.find(o => o.value === String(value))
      return (named?.text ?? String(value)) + (it.schema['x-unit'] ?? it.ui.suffix ? ` ${it.schema['x-unit'] ?? it.ui.suffix}` : '')
    }
  }
}

function shareText(v: string): string {
  const m = /^(\d+)\/(\d+)$/.exec(v)
  if (m === null) {
    return v
  }
  const pct = (Number(m[1]) / Number(m[2])) * 100
  return Number.isInteger(pct * 100) ? `${v}（${pct}%）` : v
}

/** Yuan as typed to 分; undefined if it cannot be read. */
export function fenOf(text: string): number | undefined {
  const clean = text.replaceAll(/[,，\s元]/g, '')
  const m = /^(\d{1,13})(?:\.(\d{0,2}))?$/.exec(clean)
  return m === null ? undefined : Number(m[1]) * 100 + Number((m[2] ?? '').padEnd(2, '0'))
}

/** The leaves below a path, with the places of list rows that data has. */
export function leavesOf(root: JsonSchema, ui: Ui, path: string, data: unknown): Item[] {
  const it = item(root, ui, path)
  if (it.widget === 'group') {
    return children(root, path).flatMap(p => leavesOf(root, ui, p, data))
  }
  if (it.widget === 'list') {
    const rows = at(data, path)
    return (Array.isArray(rows) ? rows : []).flatMap((_, i) => children(root, `${path}.${i}`).flatMap(p => leavesOf(root, ui, p, data)))
  }
  return [it]
}

const empty = (v: unknown) => v === undefined || v === null || v === '' || (Array.isArray(v) && v.length === 0)

/** What still has to be answered in these fields, in words; the server says it too, later. */
export function missing(root: JsonSchema, ui: Ui, fields: string[], data: Record<string, unknown>, facts: Fact[]): FieldError[] {
  const out: FieldError[] = []
  const walk = (path: string, needed: boolean) => {
    const it = item(root, ui, path)
    if (!holds(it.ui.when, data) || facts.some(f => f.path === path && (f.locked || f.state === 'pending'))) {
      return
    }
    const v = at(data, path)
    if (it.widget === 'group') {
      // An object that is not asked for as a whole asks nothing until something in it is answered.
      const asked = (needed && it.required) || begun(path)
      children(root, path).forEach(p => walk(p, asked))
      return
    }
    if (it.widget === 'list') {
      const rows = Array.isArray(v) ? v : []
      if (rows.length < (it.schema.minItems ?? (it.required ? 1 : 0))) {
        out.push({ path, rule: 'required', msg: `请加${it.ui.itemTitle ?? it.label}` })
      }
      rows.forEach((_, i) => children(root, `${path}.${i}`).forEach(p => walk(p, true)))
      return
    }
    if (it.schema.const === true && it.required && v !== true) {
      out.push({ path, rule: 'const', msg: `请勾选“${it.label}”` })
    } else if (needed && it.required && empty(v)) {
      const pick = ['choice', 'choices', 'select', 'yesno'].includes(it.widget)
      out.push({ path, rule: 'required', msg: `请${pick ? '选' : '填'}${it.label}` })
    }
  }
  const begun = (path: string) => leavesOf(root, ui, path, data).some(l => !empty(at(data, l.path)))
  for (const f of fields) {
    const keys = f.split('.')
    const above = keys.slice(0, -1).map((_, n) => keys.slice(0, n + 1).join('.'))
    walk(f, above.every(p => schemaAt(root, p).required || begun(p)))
  }
  return out
}

/** Names that stand for a record somewhere: once given, the rest can be fetched. */
export function isKey(it: Item): boolean {
  return it.widget === 'text' && (/编号|证号|号码|代码|单元号|合同号$/.test(it.label) || ['unit-code', 'project-code', 'uscc'].includes(it.schema['x-format'] ?? ''))
}

/** A personal value as pages show it: enough to know it by. */
export function hide(it: Item, value: string): string {
  const how = it.schema['x-sensitive']
  if (how === undefined || how === false || value.includes('*')) {
    return value
  }
  const r = [...value]
  if (how === 'name') {
    return r.length <= 1 ? '*' : r.length === 2 ? `${r[0]}*` : `${r[0]}${'*'.repeat(r.length - 2)}${r[r.length - 1]}`
  }
  const format = it.schema['x-format']
  if (format === 'mobile') {
    return value.replace(/^(\d{3})\d+(\d{4})$/, '$1****$2')
  }
  if (format === 'resident-id') {
    return value.replace(/^(.{3}).*(.{4})$/, '$1***********$2')
  }
  return value
}
