// How officials decide.

/** An official takes the task of a node and completes it with an outcome. */
export async function complete(stage, account, caseId, node, _label, outcome, more = {}) {
  const p = await stage.official(account)
  const got = await p.page.evaluate(async ({ caseId, node, outcome, more }) => {
    const { csrf } = await (await fetch('/api/v1/staff/session')).json()
    const v = await (await fetch(`/api/v1/staff/cases/${caseId}`)).json()
    const t = v.tasks?.find(x => x.node === node && x.mine)
    if (t === undefined) {
      return `no task ${node}: ${JSON.stringify(v.tasks ?? v)}`
    }
    const r = await fetch(`/api/v1/staff/tasks/${t.id}/complete`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF': csrf, 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify({ outcome, ...more }) })
    return r.ok ? '' : await r.text()
  }, { caseId, node, outcome, more })
  if (got !== '') {
    throw new Error(`${account} at ${node}: ${got}`)
  }
}
