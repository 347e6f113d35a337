import type { Client } from './client'
import type * as t from './types'

const id = encodeURIComponent

/** Everything the public may ask of the house, one function a route. `key` is the idempotency key of the user's action. */
export function publicApi(c: Client) {
  return {
    session: () => c.get<t.Session>('/session'),
    loginUrl: (method: string, to: string) => c.url(`/login/${id(method)}`, { to }),
    logout: () => c.post<void>('/logout'),
    sessions: () => c.get<t.LoginSession[] | { items: t.LoginSession[] }>('/sessions').then(r => (Array.isArray(r) ? r : r.items)),
    endSession: (sid: string) => c.del<void>(`/sessions/${id(sid)}`),
    me: () => c.get<t.Me>('/me'),
    saveContact: (body: { address?: string; email?: string }, key?: string) => c.patch<t.Me>('/me', body, { key }),
    phoneCode: (mobile: string, key?: string) => c.post<{ resendAfterSec: number }>('/me/phone-code', { mobile }, { key }),
    phoneConfirm: (mobile: string, code: string, key?: string) => c.post<void>('/me/phone-confirm', { mobile, code }, { key }),
    actAs: (orgId: string) => c.post<void>('/act-as', { orgId }),
    home: () => c.get<t.Home>('/home'),
    properties: () => c.get<t.Properties>('/properties'),
    matters: () => c.get<t.MatterList>('/matters'),
    matter: (slug: string) => c.get<t.Matter>(`/matters/${slug.split('/').map(id).join('/')}`),

    openCase: (body: { matter: string; with?: string[]; onBehalf?: string }, key?: string) => c.post<t.CaseView>('/cases', body, { key }),
    cases: (state: 'open' | 'done', cursor = '') => c.get<t.Page<t.CaseRow>>('/cases', { query: { state, cursor } }),
    case: (cid: string) => c.get<t.CaseView>(`/cases/${id(cid)}`),
    saveForm: (cid: string, version: number, data: Record<string, unknown>, key?: string) =>
      c.put<t.SavedForm>(`/cases/${id(cid)}/form`, { version, data }, { key }),
    prefill: (cid: string, key?: string) => c.post<t.CaseView>(`/cases/${id(cid)}/prefill`, {}, { key }),
    checks: (cid: string, key?: string) => c.post<t.Check[]>(`/cases/${id(cid)}/checks`, {}, { key }),
    ready: (cid: string, version: number, key?: string) => c.post<t.CaseView>(`/cases/${id(cid)}/ready`, { version }, { key }),
    submit: (cid: string, version: number, key?: string) => c.post<t.CaseView>(`/cases/${id(cid)}/submit`, { version }, { key }),
    verb: (cid: string, verb: string, body: { version: number; reason?: string } & Record<string, unknown>, key?: string) =>
      c.post<t.CaseView>(`/cases/${id(cid)}/verbs/${id(verb)}`, body, { key }),
    fileUrl: (cid: string, mid: string, v?: number) => c.url(`/cases/${id(cid)}/materials/${id(mid)}/file`, { v }),
    archiveUrl: (cid: string) => c.url(`/cases/${id(cid)}/archive.zip`),

    link: (token: string) => c.get<{ consentId: string }>(`/links/${id(token)}`),
    partyLink: (cid: string, pid: string, key?: string) => c.post<t.PartyLink>(`/cases/${id(cid)}/parties/${id(pid)}/link`, {}, { key }),
    remind: (cid: string, pid: string, key?: string) => c.post<void>(`/cases/${id(cid)}/parties/${id(pid)}/remind`, {}, { key }),

    consent: (nid: string) => c.get<t.Consent>(`/consents/${id(nid)}`),
    face: (nid: string, image: string, key?: string) => c.post<t.FaceResult>(`/consents/${id(nid)}/face`, { image }, { key }),
    startRecording: (nid: string, mime: string, key?: string) => c.post<{ recordingId: string }>(`/consents/${id(nid)}/recording`, { mime }, { key }),
    recordingChunk: (rid: string, n: number, bytes: ArrayBuffer, sm3: string, key?: string) =>
      c.bytes<void>('PUT', `/recordings/${id(rid)}/chunks/${n}`, bytes, { headers: { 'X-Chunk-SM3': sm3 }, key }),
    finishRecording: (rid: string, body: { answers: t.Answer[]; durationMs: number; mime: string }, key?: string) =>
      c.post<void>(`/recordings/${id(rid)}/finish`, body, { key }),
    signature: (nid: string, body: { image?: string; strokes: number; method: 'draw' | 'type' | 'ca' | 'seal' }, key?: string) =>
      c.post<void>(`/consents/${id(nid)}/signature`, body, { key }),
    confirm: (nid: string, body: { digest: string; agree: boolean; reason?: string }, key?: string) =>
      c.post<void>(`/consents/${id(nid)}/confirm`, body, { key }),

    beginUpload: (body: { caseId: string; node: string; name: string; size: number; mime: string; sm3?: string }, key?: string) =>
      c.post<t.UploadState>('/uploads', body, { key }),
    uploadState: (uid: string) => c.get<{ offset: number; size: number }>(`/uploads/${id(uid)}`),
    uploadChunk: (uid: string, offset: number, bytes: ArrayBuffer, sm3: string, signal?: AbortSignal) =>
      c.bytes<{ offset: number }>('PUT', `/uploads/${id(uid)}`, bytes, { query: { offset }, headers: { 'X-Chunk-SM3': sm3 }, signal }),
    finishUpload: (uid: string, key?: string) => c.post<t.CaseView>(`/uploads/${id(uid)}/finish`, {}, { key }),

    fee: (cid: string) => c.get<t.Fee>(`/cases/${id(cid)}/fee`),
    orderFee: (cid: string, key?: string) => c.post<t.Fee>(`/cases/${id(cid)}/fee/order`, {}, { key }),

    results: (cursor = '') => c.get<t.Page<t.Result>>('/results', { query: { cursor } }),
    result: (rid: string) => c.get<t.Result>(`/results/${id(rid)}`),
    setQr: (rid: string, body: { on: boolean; days: number; fields?: string[] }, key?: string) =>
      c.put<t.Result>(`/results/${id(rid)}/qr`, body, { key }),
    verify: (token: string) => c.get<t.Verification>(`/verify/${id(token)}`),

    grants: () => c.get<t.Page<t.Grant> | t.Grant[]>('/grants').then(r => (Array.isArray(r) ? r : r.items)),
    developers: (q: string) => c.get<t.Page<t.OrgRef> | t.OrgRef[]>('/grants/developers', { query: { q } }).then(r => (Array.isArray(r) ? r : r.items)),
    addGrant: (body: { orgId: string; matters: string[]; unit: string; until: string }, key?: string) => c.post<t.Page<t.Grant>>('/grants', body, { key }),
    endGrant: (gid: string) => c.del<void>(`/grants/${id(gid)}`),

    notices: (before = '') => c.get<t.Page<t.Statement>>('/notices', { query: { before } }),
    verifyNo: (no: string) => c.get<t.Verification>('/verify-no', { query: { no } }),
    eventsUrl: () => c.url('/events'),
  }
}

export type PublicApi = ReturnType<typeof publicApi>
