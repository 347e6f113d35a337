// Command haoban is the program: it serves, brings the database up to date,
// makes keys, and checks an installation. `haoban help` lists what there is.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"haoban/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := app.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
