package helpdesk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/hours"
	"github.com/madoguchi/madoguchi/store"
)

// Calendar is a set of working hours with a name.
type Calendar struct {
	ID        string
	Name      string
	Hours     hours.Calendar
	CreatedAt time.Time
}

// StandardCalendar is the id of the calendar that everything follows which has
// no other. It is always there.
const StandardCalendar = "standard"

// standardZone is where a house works that has not said otherwise.
const standardZone = "Asia/Tokyo"

// Calendars returns every calendar, the standard one first, then by name.
func (d *Desk) Calendars(ctx context.Context, a Actor) (list []Calendar, err error) {
	if err := a.mayRead("working hours"); err != nil {
		return nil, err
	}
	list, err = scanAll(ctx, d, calendars, func(a, b Calendar) int {
		return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	if err == nil && (len(list) == 0 || list[0].ID != StandardCalendar) {
		list = append([]Calendar{standardCalendar()}, list...)
	}
	return list, err
}

func rankOf(c Calendar) int {
	if c.ID == StandardCalendar {
		return 0
	}
	return 1
}

func standardCalendar() Calendar {
	return Calendar{ID: StandardCalendar, Hours: hours.Office(standardZone)}
}

// Limits of a calendar.
const (
	maxSpecialDays   = 500
	maxSpansADay     = 12
	maxCalendarName  = 100 // characters
	maxCalendarCount = 200
)

// SaveCalendar creates a calendar, or replaces the one with the same ID, and
// has every due time computed anew. Only StandardCalendar may have no name.
func (d *Desk) SaveCalendar(ctx context.Context, a Actor, calendar Calendar) (*Calendar, error) {
	if err := a.may("change working hours", PermitHours); err != nil {
		return nil, err
	}
	if err := d.checkCalendar(&calendar); err != nil {
		return nil, err
	}
	saved := calendar
	err := d.update(ctx, a, func(c *command) error {
		saved = calendar
		before, err := optional(calendars.Get(c, key(saved.ID)))
		switch {
		case err != nil:
			return err
		case before != nil:
			if err := c.unchanged("calendar", before.Version()); err != nil {
				return err
			}
			saved.CreatedAt = before.CreatedAt
		case saved.ID == "" || saved.ID == StandardCalendar:
			if saved.ID == "" {
				saved.ID = d.newID()
			}
			saved.CreatedAt = c.now
		default:
			return notFound("calendar", saved.ID)
		}
		if err := calendars.Put(c, &saved); err != nil {
			return err
		}
		if _, err := c.record(Event{Kind: EventHoursSaved,
			Data: changesOf(change{"hours", before.described(), saved.described()}).with("calendar", saved.Name).with("id", saved.ID)}); err != nil {
			return err
		}
		return c.dueAnew()
	})
	return &saved, err
}

func (d *Desk) checkCalendar(c *Calendar) error {
	c.Name = strings.Join(strings.Fields(c.Name), " ")
	switch {
	case c.Name == "" && c.ID != StandardCalendar:
		return invalid("name", "name_empty", "the working hours have no name")
	case len([]rune(c.Name)) > maxCalendarName:
		return invalid("name", "name_too_long", "the name has more than %d characters", maxCalendarName)
	case len(c.Hours.Days) > maxSpecialDays:
		return invalid("days", "too_many_days", "%d special days; the limit is %d", len(c.Hours.Days), maxSpecialDays)
	}
	for _, spans := range c.Hours.Week {
		if len(spans) > maxSpansADay {
			return invalid("week", "too_many_spans", "%d stretches on one day; the limit is %d", len(spans), maxSpansADay)
		}
	}
	if _, err := hours.New(c.Hours, d.zones.load); err != nil {
		return hoursError(err)
	}
	return nil
}

// hoursKey begins the keys of the sentences for an hours.Error.
const hoursKey = "error.hours_"

// hoursError is what is wrong with working hours as a refusal with its own
// sentence.
func hoursError(err error) error {
	var wrong *hours.Error
	if !errors.As(err, &wrong) {
		return err
	}
	return &Error{Code: CodeInvalid, Field: "hours", Key: hoursKey + wrong.Problem, Args: []any{wrong.Value}, Message: wrong.Message}
}

// DeleteCalendar removes a calendar that nothing follows any more.
func (d *Desk) DeleteCalendar(ctx context.Context, a Actor, id string) error {
	if err := a.may("change working hours", PermitHours); err != nil {
		return err
	}
	if id == StandardCalendar {
		return conflict("calendar_standard", "the standard working hours stay; change them instead")
	}
	return d.update(ctx, a, func(c *command) error {
		calendar, err := calendars.Get(c, key(id))
		if calendar, err = found(calendar, err, "calendar", id); err != nil {
			return err
		}
		for p, err := range duePolicies.Scan(c, store.Range{}) {
			if err != nil {
				return err
			}
			if p.CalendarID == id {
				return conflict("calendar_in_use", "the working hours %q are in use by due times; choose others there first", calendar.Name)
			}
		}
		for s, err := range services.Scan(c, store.Range{}) {
			if err != nil {
				return err
			}
			if s.CalendarID == id {
				return conflict("calendar_of_service", "the working hours %q are those of service %q; choose others there first", calendar.Name, s.Name)
			}
		}
		for u, err := range users.Scan(c, store.Range{}) {
			if err != nil {
				return err
			}
			if u.CalendarID == id {
				return conflict("calendar_of_user", "the working hours %q are those of %s; choose others there first", calendar.Name, u.Name)
			}
		}
		if err := calendars.Delete(c, key(id)); err != nil {
			return err
		}
		_, err = c.record(Event{Kind: EventHoursDeleted, Data: map[string]string{"calendar": calendar.Name, "id": id}})
		return err
	})
}

// Schedule returns the schedule of a calendar, of the standard one where id is
// "".
func (d *Desk) Schedule(ctx context.Context, a Actor, id string) (s *hours.Schedule, err error) {
	if err := a.mayRead("working hours"); err != nil {
		return nil, err
	}
	err = d.view(ctx, func(r store.Reader) error {
		s, err = newClocks(r, d.zones).schedule(id)
		return err
	})
	return s, err
}

// zones keeps the time zones that were loaded: a zone is read from disk once.
type zones struct{ loaded sync.Map }

func (z *zones) load(name string) (*time.Location, error) {
	if known, ok := z.loaded.Load(name); ok {
		return known.(*time.Location), nil
	}
	location, err := time.LoadLocation(name)
	if err == nil {
		z.loaded.Store(name, location)
	}
	return location, err
}

// clocks are the working hours and due times as one transaction sees them, each
// read once.
type clocks struct {
	r         store.Reader
	zones     *zones
	schedules map[string]*hours.Schedule
	policies  map[string]*DuePolicy // by scope; nil until they are read
}

func newClocks(r store.Reader, z *zones) *clocks {
	return &clocks{r: r, zones: z, schedules: map[string]*hours.Schedule{}}
}

func (c *command) clock() *clocks {
	if c.clocks == nil {
		c.clocks = newClocks(c, c.desk.zones)
	}
	return c.clocks
}

// schedule is that of a calendar; one that is gone or "" gives the standard.
func (k *clocks) schedule(id string) (*hours.Schedule, error) {
	if id == "" {
		id = StandardCalendar
	}
	if s, ok := k.schedules[id]; ok {
		return s, nil
	}
	calendar, err := calendars.Get(k.r, key(id))
	if errors.Is(err, store.ErrNotFound) {
		if id != StandardCalendar {
			return k.schedule(StandardCalendar)
		}
		standard := standardCalendar()
		calendar, err = &standard, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := hours.New(calendar.Hours, k.zones.load)
	if err != nil {
		return nil, err
	}
	k.schedules[id] = s
	return s, nil
}
