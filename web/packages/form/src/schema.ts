import type { FormUi, JsonSchema, UiField, UiPart } from '@haoban/api'
import { at, holds } from './when'

export type Widget = 'text' | 'textarea' | 'number' | 'money' | 'date' | 'choice' | 'choices' | 'yesno' | 'select' | 'check' | 'list' | 'group' | 'mobile' | 'share'

/** One thing to ask, resolved from schema and ui. */
export interface Item {
  path: string
  schema: JsonSchema
  ui: UiField
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

function choices(s: JsonSchema, ui: UiField): Item['options'] {
  const label = (raw: unknown, fallback?: string) => ui.options?.[String(raw)]?.text ?? s['x-labels']?.[String(raw)] ?? fallback ?? String(raw)
  const hint = (raw: unknown, fallback?: string) => ui.options?.[String(raw)]?.hint ?? fallback
  if (s.oneOf?.every(o => 'const' in o) === true) {
    return s.oneOf.map(o => ({ value: String(o.const), text: label(o.const, o.title), hint: hint(o.const, o.description), raw: o.const }))
  }
  return (s.enum ?? []).filter(v => v !== null && v !== '').map(v => ({ value: String(v), text: label(v), hint: hint(v), raw: v }))
}

function widgetOf(s: JsonSchema, ui: UiField, root: JsonSchema, options: Item['options']): Widget {
  const asked = ui.widget as Widget | undefined
  const format = s['x-format'] ?? s.format
  switch (typeOf(s)) {
    case 'object': return 'group'
    case 'array': return typeOf(deref(s.items, root)) === 'object' ? 'list' : 'choices'
    case 'boolean': return asked === 'check' ? 'check' : 'yesno'
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
      return asked === 'textarea' || (s.maxLength ?? 0) > 120 ? 'textarea' : 'text'
  }
}

/** What to ask at a path. */
export function item(root: JsonSchema, ui: FormUi, path: string): Item {
  const { schema, required } = schemaAt(root, path)
  const generic = path.replace(/\.\d+(?=\.|$)/g, '.*')
  const u = ui.fields?.[path] ?? ui.fields?.[generic] ?? ui.fields?.[generic.replaceAll('.*', '')] ?? {}
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
export function visibleParts(ui: FormUi, data: Record<string, unknown>, who = 'applicant'): UiPart[] {
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
export function pagesOf(root: JsonSchema, ui: FormUi, fields: string[], told: (path: string) => boolean = () => false): string[][] {
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
