package db

import "testing"

func TestRewrite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"SELECT 1", "SELECT 1"},
		{"a = $1 AND b = $12", "a = ?1 AND b = ?12"},
		{"a = '$1' AND b = $2", "a = '$1' AND b = ?2"},
		{"a = 'it''s $1' AND b = $2", "a = 'it''s $1' AND b = ?2"},
		{`"odd $1 name" = $1`, `"odd $1 name" = ?1`},
		{"a -- $1 here\n = $1", "a -- $1 here\n = ?1"},
		{"a /* $1 ' */ = $1", "a /* $1 ' */ = ?1"},
		{"'$.path' = $1", "'$.path' = ?1"},
		{"'办件$1' || $2", "'办件$1' || ?2"},
		{"'open $1", "'open $1"},
		{"$1'", "?1'"},
		{"$", "$"},
	} {
		if got := rewrite(tt.in); got != tt.want {
			t.Errorf("rewrite(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add("a = '$1' AND b = $2 -- $3")
	f.Fuzz(func(t *testing.T, s string) {
		if got := rewrite(s); len(got) != len(s) {
			t.Errorf("rewrite(%q) = %q", s, got)
		}
	})
}
