package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

type apiBackups struct {
	Directory *string     `json:"directory"`
	Next      *time.Time  `json:"next"`
	LastGood  *time.Time  `json:"last_good"`
	Overdue   bool        `json:"overdue"`
	Problem   *string     `json:"problem"`
	Working   bool        `json:"working"`
	Done      int64       `json:"done"`
	Total     int64       `json:"total"`
	Backups   []apiBackup `json:"backups"`
}

type apiBackup struct {
	ID       string     `json:"id"`
	At       *time.Time `json:"at"`
	Size     int64      `json:"size"`
	Written  int64      `json:"written"`
	Verified *time.Time `json:"verified"`
	Fault    *string    `json:"fault"`
}

// apiReadBackups says how the backups are, and which there are.
func (s *Server) apiReadBackups(c echo.Context, a helpdesk.Actor) error {
	if err := a.MaySeeBackups(); err != nil {
		return err
	}
	return s.answerBackups(c, http.StatusOK)
}

// apiBackUp has a backup made now.
func (s *Server) apiBackUp(c echo.Context, a helpdesk.Actor) error {
	if err := a.MaySeeBackups(); err != nil {
		return err
	}
	if s.options.Backups == nil {
		return &helpdesk.Error{Code: helpdesk.CodeConflict, Field: "backup.dir",
			Message: "this server makes no backups: name a directory as backup.dir in its configuration, and start it again"}
	}
	if err := s.desk.RequestBackup(c.Request().Context(), a); err != nil {
		return err
	}
	s.options.Backups.Ask()
	return s.answerBackups(c, http.StatusAccepted)
}

func (s *Server) answerBackups(c echo.Context, status int) error {
	answer := apiBackups{Backups: []apiBackup{}}
	if s.options.Backups != nil {
		state, err := s.options.Backups.State()
		if err != nil {
			return err
		}
		answer = apiBackups{orNull(state.Directory), timeOrNull(state.Next), timeOrNull(state.LastGood), state.Overdue, orNull(state.Problem.Text),
			state.Working, state.Done, state.Total, []apiBackup{}}
		for _, b := range state.Backups {
			answer.Backups = append(answer.Backups, apiBackup{b.ID, timeOrNull(b.At), b.Size, b.New, timeOrNull(b.Verified), orNull(b.Fault)})
		}
	}
	return c.JSON(status, answer)
}
