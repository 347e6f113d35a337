//go:build !webdist

package web

import "io/fs"

// Portal returns nil: this build carries no pages.
func Portal() fs.FS { return nil }

// Desk returns nil: this build carries no pages.
func Desk() fs.FS { return nil }
