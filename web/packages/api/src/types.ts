/* The shapes that travel between the house and its pages. Times are RFC 3339 with +08:00, days are "2026-11-26". */

export interface Page<T> { items: T[]; next: string }

export type Phase = 'draft' | 'consent' | 'submitted' | 'handling' | 'supplement' | 'paying' | 'closed' | 'stopped'
export type Light = 'green' | 'yellow' | 'red' | 'none'
export type StepState = 'done' | 'now' | 'todo'

export interface Step { name: string; state: StepState }

/** One day of the count, told in words. */
export interface ExplainLine { day: string; text: string; counted: boolean }

/** 期限：到哪天，还剩几个工作日，怎么算出来的。 */
export interface Clock {
  light: Light
  dueDay: string
  remaining: number
  paused: boolean
  text: string
  basis: string
  explain: ExplainLine[]
}

export interface MatterRef { slug: string; name: string }

export interface CaseRow {
  id: string
  no: string
  matter: MatterRef
  title: string
  phase: Phase
  phaseText: string
  district: string
  tags: string[]
  clock: Clock | null
  openedAt: string
  submittedAt?: string
  closedAt?: string
  parties: string[]
  bundleId?: string
  bundleSize: number
  nextText: string
  steps: Step[]
}

export type MaterialState = 'missing' | 'fetching' | 'present' | 'refused' | 'exempt'
export type MaterialOrigin = 'partner' | 'upload' | 'made' | 'scan' | 'inherited'

export interface FileVersion { n: number; name: string; size: number; mime: string; sm3: string; at: string; by: string }

export interface Material {
  /** Empty until there is a file. */
  id: string
  node: string
  name: string
  required: boolean
  origin: MaterialOrigin
  originText: string
  state: MaterialState
  versions: FileVersion[]
  canWrite: boolean
  canRead: boolean
  exemptReason?: string
  group?: string
  hint?: string
  /** Until which day it may be handed in, in words. */
  until?: string
  mimes?: string[]
}

export type FactState = 'ok' | 'down' | 'empty' | 'pending'

/** A value somebody else vouches for: shown with its source and time, not typed. */
export interface Fact {
  path: string
  label: string
  value: string
  masked: boolean
  source: string
  sourceText: string
  at: string
  locked: boolean
  state: FactState
  /** Why there is nothing, or that it could not be refreshed. */
  msg?: string
}

export type NeedKind = 'face' | 'recording' | 'signature' | 'seal' | 'agree'
export interface Need { kind: NeedKind; text?: string; done: boolean }
export type PartyState = 'waiting' | 'done' | 'refused' | 'expired' | 'withdrawn'

export interface Party {
  id: string
  role: string
  roleText: string
  name: string
  kind: 'person' | 'org'
  me: boolean
  needs: Need[]
  state: PartyState
  at?: string
  expiresAt?: string
  order?: number
  reason?: string
}

export interface TimelineItem { at: string; actor: string; text: string; kind: string; reason?: string }

export type VerbNeed = 'reason' | 'person' | 'role' | 'days' | 'persons' | 'materials' | 'depts' | 'to' | 'file' | 'code'

/** Something one can do to a case now, with its effect in words. */
export interface Verb {
  id: string
  label: string
  effect: string
  danger: boolean
  needs: VerbNeed[]
  options?: {
    to?: { id: string; name: string }[]
    persons?: { id: string; name: string }[]
    materials?: { id: string; name: string }[]
    codes?: { id: string; name: string }[]
  }
}

export interface FieldError { path: string; rule: string; msg: string }

export interface UiPart { id: string; title: string; hint?: string; fields: (string | UiField)[]; when?: string; who?: string }
export interface FormUi { parts: UiPart[] }
/** A field with how it is asked; in the file often only its path. */
export interface UiField {
  path: string
  span?: number
  readOnly?: boolean
  hint?: string
  widget?: string
  when?: string
  placeholder?: string
  suffix?: string
  itemTitle?: string
  addText?: string
  options?: Record<string, { text?: string; hint?: string }>
}

export interface JsonSchema {
  $ref?: string
  $defs?: Record<string, JsonSchema>
  type?: string | string[]
  title?: string
  description?: string
  enum?: (string | number | boolean | null)[]
  oneOf?: JsonSchema[]
  const?: unknown
  format?: string
  pattern?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  default?: unknown
  readOnly?: boolean
  uniqueItems?: boolean
  'x-source'?: string
  'x-format'?: string
  'x-sensitive'?: boolean | string
  'x-search'?: boolean
  'x-hint'?: string
  'x-labels'?: Record<string, string>
  'x-unit'?: string
}

export interface CaseForm {
  schema: JsonSchema
  ui: FormUi
  data: Record<string, unknown>
  facts: Fact[]
  errors: FieldError[]
  complete: Record<string, boolean>
}

export type Verdict = 'PASS' | 'BLOCK' | 'CONSENT' | 'RISK_ACK' | 'MANUAL' | 'WARN'
export interface Check { rule: string; name?: string; verdict: Verdict; text: string; basis: string; at: string }

export interface Fee {
  state: 'none' | 'free' | 'due' | 'ordered' | 'paid'
  amount: number
  text: string
  rule: string
  basis: string
  orderNo?: string
  qr?: string
  payUrl?: string
  expiresAt?: string
  paidAt?: string
}

export type ResultState = 'valid' | 'superseded' | 'lost' | 'voided' | 'frozen'
export interface ResultQr {
  on: boolean
  expiresAt: string
  url: string
  image: string
  /** What a stranger may see now, by id. */
  fields?: string[]
  all?: { id: string; label: string; value: string; on: boolean }[]
}

export interface Result {
  id: string
  kind: string
  kindText: string
  no: string
  state: ResultState
  stateText: string
  issuedAt: string
  fileUrl: string
  qr?: ResultQr
  caseId: string
  purpose?: string
}

export interface Consultation {
  id: string
  deptName: string
  level: string
  state: 'draft' | 'asked' | 'supplement' | 'replied' | 'closed'
  askedAt: string
  replyBy: string
  opinion?: string
  text?: string
  content?: string
  supplement?: { id: string; items: { name: string; node?: string }[]; until: string; done: boolean }
  files?: { id: string; name: string }[]
}

export interface CaseView extends CaseRow {
  version: number
  form: CaseForm
  materials: Material[]
  /** Parties with what each has to do; a row carries their names only. */
  partyList: Party[]
  timeline: TimelineItem[]
  verbs: Verb[]
  checks: Check[]
  fee: Fee | null
  results: Result[]
  consultations: Consultation[]
  outdated?: { dropped: { path: string; label: string }[]; text: string }
  bundle?: { caseId: string; matterName: string; mine: boolean }[]
  decisionText?: string
  /** The asker is who files. */
  applicant?: boolean
  needsConsent?: boolean
}

/* Public */

export interface OrgRef { id: string; name: string; kind?: 'company' | 'bank' | 'agency' }

export interface Session {
  person: { id: string; name: string; kind: string } | null
  org: OrgRef | null
  orgs: OrgRef[]
  csrf: string
  methods: { id: string; name: string }[]
  now: string
  demo: boolean
}

export interface LoginSession { id: string; device: string; ip: string; at: string; lastAt: string; current: boolean }

export interface Me {
  facts: Fact[]
  contact: { address: string; email: string }
  phone: { masked: string; confirmedAt: string }
  orgs: OrgRef[]
}

export type TodoKind = 'consent' | 'sign' | 'pay' | 'supplement' | 'draft' | 'reply'
export interface Todo {
  kind: TodoKind
  caseId: string
  consentId?: string
  title: string
  text: string
  dueText: string
  label: string
  to: string
}
export interface Home { todos: Todo[]; open: CaseRow[]; done: CaseRow[] }

export interface Property {
  unit: string
  address: string
  ownership: string
  area: string
  status: string | { code: string; text: string }[]
  certNo: string
  can: MatterRef[]
}
export interface Properties { items: Property[]; state: 'ok' | 'down'; at: string }

export interface MatterCard { slug: string; name: string; summary: string; who: string }
export interface MatterList { groups: { name: string; items: MatterCard[] }[] }

export interface Matter {
  slug: string
  name: string
  who: string
  needs: { name: string; text: string }[]
  fetched: { name: string; from: string }[]
  days: { legal: number; text: string; basis: string }
  fee: { text: string; basis: string }
  basis: (string | { law: string; article: string; text: string })[]
  results: string[]
  steps: string[]
  with: { slug: string; name: string; text?: string; summary?: string }[]
  eligible: { ok: boolean; reasons: string[] }
}

export interface SavedForm { version: number; savedAt: string; errors: FieldError[]; complete?: Record<string, boolean> }

export interface UploadState { id: string; offset: number; chunkSize: number }

export interface PartyLink { url: string; qr: string; expiresAt: string }

export interface Question { id: string; text: string }
export interface Consent {
  id: string
  caseId: string
  title: string
  role: string
  state: PartyState
  expiresAt: string
  digest: string
  papers: { materialId: string; name: string; fileUrl: string }[]
  summary: { label: string; value: string }[]
  questions: Question[]
  needs: Need[]
  privacyText: string
}
export interface FaceResult { ok: boolean; score: number; at: string }
export interface Answer { q: string; a: string; atMs: number }

export type VerifyVerdict = 'valid' | 'superseded' | 'lost' | 'voided' | 'frozen' | 'off' | 'expired' | 'unknown'
export interface Verification {
  verdict: VerifyVerdict
  text: string
  at: string
  facts: { label: string; value: string }[]
  checks: { ok: boolean; text: string }[]
  fileUrl?: string
}

export interface Grant {
  id: string
  orgName: string
  matters: MatterRef[]
  unit: string
  unitText?: string
  until: string
  state: string
  at: string
}

/** A published statement of loss 遗失声明. */
export interface Statement { id: string; no: string; certNo: string; body: string; publishedAt: string }

/* Staff */

export interface TaskRow {
  id: string
  caseId: string
  no: string
  matter: MatterRef
  title: string
  node: string
  nodeText: string
  clock: Clock | null
  /** When it came, as people say it. */
  at: string
  parties: string[]
  tags: string[]
  state: string
  assignee: string
  isNew: boolean
}

export interface InboxCounts { all: number; overdue: number; soon: number; claimable: number; mine?: number; views?: { id: string; name: string; n: number }[] }

export interface StaffSession {
  user: { id: string; name: string; org: string; roles: string[]; district: string } | null
  /** What is still to be done before the desk opens: otp, password, or done. */
  step: string
  csrf: string
  now: string
  demo: boolean
}

export type Tone = '' | 'act' | 'soon' | 'stop' | 'good'
export interface TreeNode {
  id: string
  name: string
  origin: string
  originText: string
  tag: string
  tone: Tone
  kind: 'form' | 'file' | 'recording' | 'facts' | 'consult'
  materialId?: string
  recordingId?: string
}

export interface DeskTask {
  id: string
  node: string
  name: string
  assignee: string
  mine: boolean
  state: string
  kind: string
  outcomes: { id: string; text: string; effect: string; danger: boolean }[]
}

export interface DeskView extends CaseView {
  tree: { group: string; nodes: TreeNode[] }[]
  tasks: DeskTask[]
  process: { xml: string; active: string[]; done: string[] }
  compare: { label: string; values: { source: string; value: string; same: boolean }[] }[]
  recordings: RecordingView[]
  guard?: string
  lines: { label: string; value: string }[]
}

export interface RecordingView {
  id: string
  name: string
  mime: string
  durationMs: number
  chunks: { n: number; size: number; sm3: string }[]
  questions: { id: string; text: string; said: string; atMs: number }[]
  integrity: { ok: boolean; text: string }
  review: '' | 'pass' | 'redo'
  reviewReason: string
}
