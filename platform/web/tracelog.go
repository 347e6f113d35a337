package web

import (
	"context"
	"log/slog"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// LogTraces returns a tracer provider that writes finished spans to a log, for
// development. Shut it down when the server has stopped.
func LogTraces(log *slog.Logger) *sdk.TracerProvider {
	return sdk.NewTracerProvider(sdk.WithSyncer(logExporter{log}))
}

type logExporter struct{ log *slog.Logger }

// ExportSpans writes one line for each span.
func (e logExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	for _, s := range spans {
		attrs := []slog.Attr{slog.String("trace", s.SpanContext().TraceID().String()), slog.String("span", s.SpanContext().SpanID().String()),
			slog.String("name", s.Name()), slog.Duration("took", s.EndTime().Sub(s.StartTime()))}
		if s.Parent().IsValid() {
			attrs = append(attrs, slog.String("parent", s.Parent().SpanID().String()))
		}
		for _, a := range s.Attributes() {
			attrs = append(attrs, slog.Any(string(a.Key), a.Value.AsInterface()))
		}
		e.log.LogAttrs(ctx, slog.LevelDebug, "span", attrs...)
	}
	return nil
}

// Shutdown has nothing to do.
func (e logExporter) Shutdown(context.Context) error { return nil }
