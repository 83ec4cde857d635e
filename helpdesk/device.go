package helpdesk

import (
	"slices"
	"time"

	"github.com/madoguchi/madoguchi/store"
)

// device is a browser that a user has logged in with: a cookie of its own tells
// it, which outlives sessions. So a login with a new one is noticed, and
// whoever guesses from elsewhere cannot keep its owner out.
type device struct {
	UserID    string
	Hash      string   // SHA-256 of the cookie's value, hex
	Networks  []string // that it was used from, the newest first
	CreatedAt time.Time
	UsedAt    time.Time // of the last login
	// TrustedUntil is until when no code is asked for after the password, or zero.
	TrustedUntil time.Time
}

var devices = store.NewTable(store.Spec[device]{Name: "device", Version: 1,
	Key: func(d *device) []byte { return key(d.UserID, d.Hash) },
	Indexes: []store.Index[device]{
		{Name: "used", Keys: func(d *device) [][]byte { return one(key(d.UsedAt)) }},
		{Name: "user", Keys: func(d *device) [][]byte { return one(key(d.UserID, d.UsedAt)) }},
	}})

// TrustLifetime is how long a device skips the second step that was told to.
const TrustLifetime = 30 * 24 * time.Hour

const (
	deviceLifetime = 180 * 24 * time.Hour // without a login
	maxDevices     = 30                   // of one user
	maxNetworks    = 5                    // of one device
	maxDeviceValue = 100                  // bytes of a cookie's value
)

// newDevice marks a login's event as from a browser that was never seen with it.
const newDevice = "new"

// deviceOf returns what is known of a visitor's browser with a user, or nil.
func deviceOf(r store.Reader, userID string, v Visitor) (*device, error) {
	if v.Device == "" || len(v.Device) > maxDeviceValue {
		return nil, nil
	}
	return optional(devices.Get(r, key(userID, hashSecret(v.Device))))
}

// knowsNetwork reports whether a user has logged in from a visitor's network.
func knowsNetwork(r store.Reader, userID string, v Visitor) (bool, error) {
	network := networkOf(v.IP)
	for d, err := range devices.ScanIndex(r, "user", store.Prefix(key(userID))) {
		if err != nil {
			return false, err
		}
		if slices.Contains(d.Networks, network) {
			return true, nil
		}
	}
	return false, nil
}

// meetDevice writes down that a user logs in with a visitor's browser. It
// returns the value of the browser's cookie, and whether the browser is new
// where others are known already.
func (c *command) meetDevice(u *User, v Visitor, trust bool) (secret string, isNew bool, err error) {
	known, err := deviceOf(c, u.ID, v)
	if err != nil {
		return "", false, err
	}
	if known != nil {
		known.usedAt(c.now, v, trust)
		return v.Device, false, devices.Put(c, known)
	}
	n, err := c.forgetDevices(u.ID)
	if err != nil {
		return "", false, err
	}
	secret, hash := newSecret()
	met := &device{UserID: u.ID, Hash: hash, CreatedAt: c.now}
	met.usedAt(c.now, v, trust)
	return secret, n > 0, devices.Put(c, met)
}

// usedAt writes down that a visitor logged in with the device, and wants it to
// skip the second step from now on.
func (d *device) usedAt(now time.Time, v Visitor, trust bool) {
	network := networkOf(v.IP)
	others := slices.DeleteFunc(d.Networks, func(n string) bool { return n == network })
	d.Networks = append([]string{network}, others[:min(len(others), maxNetworks-1)]...)
	d.UsedAt = now
	if trust {
		d.TrustedUntil = now.Add(TrustLifetime)
	}
}

// forgetDevices makes room for one more device of a user, and takes away what
// nobody has used for long. It returns how many devices the user has.
func (c *command) forgetDevices(userID string) (n int, err error) {
	var old []*device
	for d, err := range devices.ScanIndex(c, "used", store.Range{End: key(c.now.Add(-deviceLifetime))}) {
		if err != nil {
			return 0, err
		}
		if old = append(old, d); len(old) == forgetAtOnce {
			break
		}
	}
	var own []*device // the longest unused first
	for d, err := range devices.ScanIndex(c, "user", store.Prefix(key(userID))) {
		if err != nil {
			return 0, err
		}
		own = append(own, d)
	}
	old = append(old, own[:max(0, len(own)-maxDevices+1)]...)
	for _, d := range old {
		if err := devices.Delete(c, key(d.UserID, d.Hash)); err != nil {
			return 0, err
		}
	}
	return len(own), nil
}

// distrustDevices asks all devices of a user for a code again.
func (c *command) distrustDevices(userID string) error {
	var trusted []*device
	for d, err := range devices.ScanIndex(c, "user", store.Prefix(key(userID))) {
		if err != nil {
			return err
		}
		if !d.TrustedUntil.IsZero() {
			trusted = append(trusted, d)
		}
	}
	for _, d := range trusted {
		d.TrustedUntil = time.Time{}
		if err := devices.Put(c, d); err != nil {
			return err
		}
	}
	return nil
}
