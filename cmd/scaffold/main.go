// Command scaffold makes a new matter or a new partner in the shape of the
// present ones, and writes it into the one list that has to name it.
//
//	go run ./cmd/scaffold matter registry/foo "某某登记"
//	go run ./cmd/scaffold link foo "某某平台"
//
// What it makes loads, builds and passes its tests at once; what is particular
// is then filled in.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  go run ./cmd/scaffold matter <office>/<slug> <name>
  go run ./cmd/scaffold link <system> <name>`

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	made, err := scaffold(".", os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, "scaffold:", err)
		os.Exit(1)
	}
	for _, m := range made {
		fmt.Println(m)
	}
}
