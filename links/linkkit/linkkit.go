// Package linkkit is what every connector to an outside system has in common:
// asking with a signature (Client), being told (Receiver), and keeping
// evidence of both (Book). A connector in links/<system> adds only its
// messages (wire/) and its verbs.
//
// One rule runs through all of it: silence is never a "no". Whatever is not a
// signed, readable answer is an error of kind errs.Unavailable, and only a
// partner's own 3xxx is a Refusal.
package linkkit

import (
	"embed"

	"haoban/platform/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the line of the lnk_ tables.
func Migrations() db.Line { return db.Line{Room: "lnk", FS: migrations} }
