//go:build webdist

package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist/portal all:dist/desk
var dist embed.FS

// Portal returns the built files of the public app, index.html at its root,
// each text file with a .gz and a .br beside it.
func Portal() fs.FS { return sub("dist/portal") }

// Desk returns the built files of the officials' app. Its pages expect to be
// served below /desk/.
func Desk() fs.FS { return sub("dist/desk") }

func sub(dir string) fs.FS {
	f, err := fs.Sub(dist, dir)
	if err != nil {
		return nil
	}
	return f
}
