// Package ident knows who somebody is and what they may speak for: persons
// (自然人), organisations (单位) and their members, recorded grants to act for
// another (授权), officials (工作人员) with their posts (岗位), and sessions.
//
// It knows no case and no land. What it gives the rest of the house is an
// Actor: who is asking, for whom, and the visibility keys under which things
// may be shown to them.
//
// Identity claims (name, identity number, mobile) are stored sealed, each with
// its source and time, and found only by a keyed blind index. Rows that carry
// rights (users, posts, grants, members) carry a MAC that is checked whenever
// they are loaded; a row that was changed behind the house's back gives
// ErrTampered and an entry in the audit log.
//
// Sessions, log-ins, lock-outs and one-time codes run on wall time. The
// validity of memberships and grants is business time.
package ident
