package store

import "sync"

const (
	rememberedRecords = 64      // of one table
	rememberedSize    = 4 << 10 // bytes of the largest
)

// remembered is records by their stored form: what is asked for with every mail is read
// from the store, and compared, but not decoded each time. As it only knows what decoding
// those very bytes gave, it can be neither old nor of another store.
type remembered struct {
	clone func(record any) any

	mu      sync.RWMutex
	records map[string]any // never changed, nor given away
}

func (m *remembered) find(stored []byte) (any, bool) {
	m.mu.RLock()
	record, ok := m.records[string(stored)]
	m.mu.RUnlock()
	if !ok {
		return nil, false
	}
	return m.clone(record), true
}

// keep remembers a record that stays its caller's own.
func (m *remembered) keep(stored []byte, record any) {
	if len(stored) > rememberedSize {
		return
	}
	own := m.clone(record)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.records) >= rememberedRecords || m.records == nil {
		m.records = make(map[string]any, rememberedRecords) // those that are asked for come back
	}
	m.records[string(stored)] = own
}
