package app

import (
	"context"

	"haoban/platform/blob"
	"haoban/platform/job"
)

// The named points of Options.Failpoint: moments at which a process may die and
// nothing may be lost or done twice.
const (
	// FailCallback: a payment has had its effect and nothing is committed.
	FailCallback = "callback.applied"
	// FailJob: a job's work is done and that is not recorded.
	FailJob = "job.worked"
	// FailUpload: a piece of an upload is kept and no row knows of it.
	FailUpload = "upload.staged"
)

// fail tells the failpoint, if there is one, that name was reached.
func (a *App) fail(name string) {
	if a.o.Failpoint != nil {
		a.o.Failpoint(name)
	}
}

// failing lets the failpoint in between each job's work and its record.
func (a *App) failing(all map[string]job.Handler) map[string]job.Handler {
	if a.o.Failpoint == nil {
		return all
	}
	for kind, h := range all {
		all[kind] = func(ctx context.Context, j job.Job) error {
			err := h(ctx, j)
			if err == nil {
				a.fail(FailJob)
			}
			return err
		}
	}
	return all
}

// failingStage lets the failpoint in after each piece of an upload.
type failingStage struct {
	blob.Staging
	a *App
}

// Keep is Staging's.
func (s failingStage) Keep(ctx context.Context, key string, b []byte) error {
	err := s.Staging.Keep(ctx, key, b)
	s.a.fail(FailUpload)
	return err
}
