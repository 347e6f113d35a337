package app

import "haoban/casework/api"

// logins are the ways citizens and companies log in.
func (a *App) logins() ([]api.Login, error) { return nil, nil }
