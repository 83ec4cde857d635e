package similar

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/store"
)

// BenchmarkNearest measures the comparison with every vector: VECTORS of the
// environment, or 20,000, of 1,024 dimensions as bge-m3 makes them.
func BenchmarkNearest(b *testing.B) {
	const dimensions = 1024
	count := 20_000
	if n, err := strconv.Atoi(os.Getenv("VECTORS")); err == nil {
		count = n
	}
	bolt, err := store.OpenBolt(filepath.Join(b.TempDir(), "bench.db"), store.BoltOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer bolt.Close()
	desk, err := helpdesk.Open(b.Context(), bolt, helpdesk.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ix := New(bolt, desk, nil, slog.New(slog.DiscardHandler))
	s, err := ix.begin(b.Context(), "bench", "bench")
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for at := 0; at < count; at += segmentVectors {
		var batch []made
		for i := at; i < min(count, at+segmentVectors); i++ {
			batch = append(batch, made{message: fmt.Sprintf("%026d", i), vector: random(r, dimensions)})
		}
		if err := ix.commit(b.Context(), s.ID, batch, func(changed *space) { s = changed }); err != nil {
			b.Fatal(err)
		}
	}
	query, _ := newVector(random(r, dimensions))
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if hits, _, err := ix.nearest(b.Context(), s, []vector{query}, keepFirst); err != nil || len(hits) != min(keepFirst, count) {
			b.Fatal(len(hits), err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "vectors/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

func random(r *rand.Rand, dimensions int) []float32 {
	v := make([]float32, dimensions)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// The byte a dimension costs next to nothing: what is nearest by it is nearest.
func TestBytesKeepTheAngle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		a, b := random(r, 768), random(r, 768)
		for i := range b { // some are near, some are not
			b[i] = b[i]*float32(r.Float64()) + a[i]
		}
		x, _ := newVector(a)
		y, _ := newVector(b)
		steps := make([]byte, len(y.steps))
		for i, s := range y.steps {
			steps[i] = byte(s)
		}
		got := float64(dot(x.steps, steps)) * float64(x.step) * float64(y.step)
		if want := cosine(a, b); got < want-0.01 || got > want+0.01 {
			t.Fatalf("cosine %.4f, by bytes %.4f", want, got)
		}
	}
}

// cosine is that of the angle between two directions.
func cosine(a, b []float32) float64 {
	var product, squareA, squareB float64
	for i := range a {
		product += float64(a[i]) * float64(b[i])
		squareA += float64(a[i]) * float64(a[i])
		squareB += float64(b[i]) * float64(b[i])
	}
	if squareA == 0 || squareB == 0 {
		return 0
	}
	return product / math.Sqrt(squareA*squareB)
}
