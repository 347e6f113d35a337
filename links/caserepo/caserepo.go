// Package caserepo connects to the city's case repository 市办件库: every case
// is told there as it moves, with its result and its errata.
package caserepo

import (
	"context"
	"net/url"

	"haoban/links/caserepo/wire"
	"haoban/links/linkkit"
)

// Name is what people call the partner.
const Name = "市办件库"

// Repo is the connector. It is safe for concurrent use.
type Repo struct{ c *linkkit.Client }

// New returns a connector over c.
func New(c *linkkit.Client) *Repo { return &Repo{c} }

// Push tells a case as it stands; id is the applicant's identity number or
// code in clear, sealed on its way. The same (case, last step, version) has its
// effect once, however often it is told. It returns the repository's number.
//
// Errors are those of linkkit's Client.Do; a refusal has one of the codes of
// package wire.
func (r *Repo) Push(ctx context.Context, p wire.Push, id string) (string, error) {
	sealed, err := r.c.Seal(id)
	if err != nil {
		return "", err
	}
	p.Case.Applicant.IDEnc = sealed
	var ack wire.Ack
	_, err = r.c.Do(ctx, linkkit.Call{API: "case-repo.push", Path: wire.PathPush, Key: p.Key(), Biz: p.Case.CaseUID, In: p}, &ack)
	return ack.RepoNo, err
}

// Correct tells an erratum 勘误 of a case pushed before. The same number has
// its effect once.
func (r *Repo) Correct(ctx context.Context, e wire.Erratum) error {
	_, err := r.c.Do(ctx, linkkit.Call{API: "case-repo.erratum", Path: wire.PathErratum, Key: e.CaseUID + "/" + e.ErratumNo, Biz: e.CaseUID, In: e}, nil)
	return err
}

// Kept asks what the repository has of a case. It returns a linkkit.Refusal
// with wire.CodeUnknownCase for one it never had.
func (r *Repo) Kept(ctx context.Context, caseUID string) (wire.Kept, error) {
	var k wire.Kept
	_, err := r.c.Do(ctx, linkkit.Call{API: "case-repo.get", Path: wire.PathCases, Query: url.Values{"case_uid": {caseUID}}, Biz: caseUID}, &k)
	return k, err
}
