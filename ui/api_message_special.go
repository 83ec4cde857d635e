package ui

import (
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiInvitation is the first event of a mail's calendar (RFC 5545).
type apiInvitation struct {
	Method     string        `json:"method"`
	UID        string        `json:"uid"`
	Sequence   int           `json:"sequence"`
	Summary    string        `json:"summary"`
	Location   string        `json:"location"`
	Status     string        `json:"status"`
	Start      *time.Time    `json:"start"`
	End        *time.Time    `json:"end"`
	AllDay     bool          `json:"all_day"`
	Floating   bool          `json:"floating"`
	Zone       string        `json:"zone"`
	Recurrence string        `json:"recurrence"`
	Organizer  apiPerson     `json:"organizer"`
	Attendees  []apiAttendee `json:"attendees"`
}

type apiPerson struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

type apiAttendee struct {
	apiPerson
	Participation string `json:"participation"`
	Optional      bool   `json:"optional"`
}

func invitationJSON(i *helpdesk.Invitation) *apiInvitation {
	if i == nil {
		return nil
	}
	answer := &apiInvitation{i.Method, i.UID, i.Sequence, i.Summary, i.Location, i.Status, timeOrNull(i.Start), timeOrNull(i.End),
		i.AllDay, i.Floating, i.Zone, i.Recurrence, apiPerson{i.Organizer.Name, i.Organizer.Email}, []apiAttendee{}}
	for _, a := range i.Attendees {
		answer.Attendees = append(answer.Attendees, apiAttendee{apiPerson{a.Name, a.Email}, a.Participation, a.Optional})
	}
	return answer
}
