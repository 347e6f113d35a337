import type { Client } from './client'
import type * as t from './types'

const id = encodeURIComponent

/** What an official may ask of the house. */
export function staffApi(c: Client) {
  return {
    login: (account: string, password: string, key?: string) => c.post<{ step: 'otp' | 'password' | 'done' }>('/login', { account, password }, { key }),
    otp: (code: string, key?: string) => c.post<{ step: 'otp' | 'password' | 'done' } | undefined>('/login/otp', { code }, { key }),
    password: (old: string, fresh: string, key?: string) => c.post<{ step: 'otp' | 'done' } | undefined>('/password', { old, new: fresh }, { key }),
    logout: () => c.post<void>('/logout'),
    session: () => c.get<t.StaffSession>('/session'),

    inbox: (query: { view?: string; matter?: string; node?: string; cursor?: string }) => c.get<t.Page<t.TaskRow>>('/inbox', { query }),
    inboxCounts: () => c.get<t.InboxCounts>('/inbox/counts'),
    nextTask: (key?: string) => c.post<t.TaskRow>('/inbox/next', {}, { key }),

    cases: (query: { q?: string; matter?: string; phase?: string; district?: string; over?: boolean; cursor?: string; sort?: 'due' | 'opened' }) =>
      c.get<t.Page<t.CaseRow>>('/cases', { query }),
    casesExportUrl: (query: Record<string, string>) => c.url('/cases/export.xlsx', query),
    case: (cid: string) => c.get<t.DeskView>(`/cases/${id(cid)}`),
    claim: (tid: string, key?: string) => c.post<t.DeskView>(`/tasks/${id(tid)}/claim`, {}, { key }),
    release: (tid: string, key?: string) => c.post<t.DeskView>(`/tasks/${id(tid)}/release`, {}, { key }),
    complete: (tid: string, body: { outcome: string; opinion: string; version: number; data?: Record<string, unknown>; together?: boolean }, key?: string) =>
      c.post<t.DeskView>(`/tasks/${id(tid)}/complete`, body, { key }),
    verb: (cid: string, verb: string, body: { version: number } & Record<string, unknown>, key?: string) =>
      c.post<t.DeskView>(`/cases/${id(cid)}/verbs/${id(verb)}`, body, { key }),
    consult: (cid: string, body: { depts: string[]; content: string; days: number }, key?: string) =>
      c.post<t.DeskView>(`/cases/${id(cid)}/consultations`, body, { key }),
    departments: (caseId: string) => c.get<{ code: string; name: string; level?: string }[]>('/departments', { query: { caseId } }),
    unmask: (cid: string, path: string, reason: string, key?: string) => c.post<{ value: string }>(`/cases/${id(cid)}/unmask`, { path, reason }, { key }),
    recording: (rid: string) => c.get<t.RecordingView>(`/recordings/${id(rid)}`),
    recordingChunkUrl: (rid: string, n: number) => c.url(`/recordings/${id(rid)}/chunks/${n}`),
    reviewRecording: (rid: string, body: { result: 'pass' | 'redo'; reason: string }, key?: string) => c.post<void>(`/recordings/${id(rid)}/review`, body, { key }),
    fileUrl: (cid: string, mid: string, v?: number) => c.url(`/cases/${id(cid)}/materials/${id(mid)}/file`, { v }),
    archiveUrl: (cid: string) => c.url(`/cases/${id(cid)}/archive.zip`),
    eventsUrl: () => c.url('/events'),
  }
}

export type StaffApi = ReturnType<typeof staffApi>
