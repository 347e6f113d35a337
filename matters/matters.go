// Package matters is the catalogue: one folder of data for each matter (事项),
// carried inside the binary. What differs between matters stands in these
// folders; see docs/howto/matter.md for how to add one.
package matters

import (
	"embed"
	"fmt"
	"io/fs"

	"haoban/casework/matter"
)

//go:embed registry permit shared
var files embed.FS

// Slugs is the sorted list of matters on offer. A test holds it equal to the
// folders.
func Slugs() []string {
	return []string{
		"permit/land-opinion",
		"registry/presale-mortgage-notice",
		"registry/presale-notice",
		"registry/query-certificate",
		"registry/reissue",
	}
}

// FS is the folder of all matters.
func FS() fs.FS { return files }

// Load reads, compiles and checks every matter.
func Load() ([]*matter.Matter, error) {
	shared, err := fs.Sub(files, "shared")
	if err != nil {
		return nil, fmt.Errorf("matters: %w", err)
	}
	out := make([]*matter.Matter, 0, len(Slugs()))
	for _, s := range Slugs() {
		m, err := matter.Load(files, shared, s)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
