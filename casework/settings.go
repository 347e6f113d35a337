package casework

import (
	"context"
	"errors"
	"fmt"

	"haoban/platform/db"
	"haoban/platform/errs"
)

// Setting is one version of something a bureau sets while running. Versions
// are only added; the newest that is in force by the business clock holds.
type Setting struct {
	Key       string
	Version   int
	Value     string
	ValidFrom int64
	ChangedBy string
	ChangedAt int64
}

// ErrSettingVersion says that somebody else has set the key in between.
var ErrSettingVersion = errs.New(errs.Conflict, "setting.version", "这项设置刚被别人改过，请刷新后再改")

const settingColumns = `skey, version, value, valid_from, changed_by, changed_at`

func settings(ctx context.Context, q db.Querier, where string, args ...any) (out []Setting, err error) {
	rows, err := q.Query(ctx, `SELECT `+settingColumns+` FROM cw_setting WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s Setting
		if err := rows.Scan(&s.Key, &s.Version, &s.Value, &s.ValidFrom, &s.ChangedBy, &s.ChangedAt); err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Settings returns, by key, what is set and in force at a moment of business
// time.
func Settings(ctx context.Context, q db.Querier, now int64) (map[string]Setting, error) {
	all, err := settings(ctx, q, `valid_from <= $1 ORDER BY skey, version`, now)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Setting, len(all))
	for _, s := range all {
		out[s.Key] = s // the last one of a key is its newest
	}
	return out, nil
}

// SettingHistory returns every version of a key, newest first.
func SettingHistory(ctx context.Context, q db.Querier, key string) ([]Setting, error) {
	return settings(ctx, q, `skey = $1 ORDER BY version DESC`, key)
}

// PutSetting adds a version of key inside tx, in force from now on, and returns
// it with the value it takes the place of ("" if it was never set). A version
// other than the newest (0 where there is none; -1 does not ask) is
// ErrSettingVersion.
func PutSetting(ctx context.Context, tx *db.Tx, key, value, by string, version int) (now Setting, before string, err error) {
	var last int
	err = tx.QueryRow(ctx, `SELECT version, value FROM cw_setting WHERE skey = $1 ORDER BY version DESC LIMIT 1`, key).Scan(&last, &before)
	if err != nil && !noRows(err) {
		return now, "", fmt.Errorf("setting: %w", err)
	}
	if version >= 0 && version != last {
		return now, "", ErrSettingVersion
	}
	now = Setting{Key: key, Version: last + 1, Value: value, ValidFrom: tx.NowMS(), ChangedBy: by, ChangedAt: tx.NowMS()}
	res, err := tx.Exec(ctx, `INSERT INTO cw_setting (`+settingColumns+`) VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT (skey, version) DO NOTHING`,
		now.Key, now.Version, now.Value, now.ValidFrom, now.ChangedBy, now.ChangedAt)
	if err != nil {
		return now, "", fmt.Errorf("setting: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return now, "", errors.Join(ErrSettingVersion, err)
	}
	return now, before, nil
}
