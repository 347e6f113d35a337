package casework

import (
	"context"
	"fmt"

	"haoban/platform/db"
)

// Empty reports whether there is no case at all.
func Empty(ctx context.Context, q db.Querier) (bool, error) {
	var id string
	err := q.QueryRow(ctx, `SELECT id FROM cw_case LIMIT 1`).Scan(&id)
	if noRows(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("cases: %w", err)
	}
	return false, nil
}
