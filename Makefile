# Nothing but Go is needed for run, build, test and quick. The browser tests
# also want Chromium and say so in their output when they do not find it.

GO       ?= go
FUZZTIME ?= 3s
COUNT    ?= 1
# Tests wait for disks, browsers and other programs: two more at a time than there
# are processors keep these busy.
JOBS     ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

.PHONY: run build test quick fuzz bench crash soak screenshots ollama ollama-test check clean

## run: build and start a server on this machine alone; ARGS="--config FILE" adds flags
run: build
	@bin/madoguchi serve $(ARGS)

## build: write bin/madoguchi
build:
	$(GO) build -o bin/madoguchi ./cmd/madoguchi

## test: every test, then the fuzz targets for a few seconds each
test:
	$(GO) test -count=$(COUNT) -timeout=30m -p=$(JOBS) -parallel=$(JOBS) ./...
	@$(MAKE) --no-print-directory fuzz

## quick: the tests of a change in hand, without the browser and what takes long (-short says what), in about a minute
# Those that take longest begin first, and more at once than there are processors, since they wait for the disk.
quick:
	GOGC=400 GOFLAGS="$$GOFLAGS -ldflags=-w" $(GO) test -short -p=$(JOBS) -parallel=8 ./ui ./cmd/madoguchi ./helpdesk ./store ./...

## fuzz: each parser of what strangers send, FUZZTIME long
fuzz:
	$(GO) test -run='^$$' -fuzz='^FuzzParse$$' -fuzztime=$(FUZZTIME) ./smtpd/mail
	$(GO) test -run='^$$' -fuzz='^FuzzSanitizeHTML$$' -fuzztime=$(FUZZTIME) ./smtpd/mail
	$(GO) test -run='^$$' -fuzz='^FuzzTNEF$$' -fuzztime=$(FUZZTIME) ./smtpd/mail
	$(GO) test -run='^$$' -fuzz='^FuzzSpecialParts$$' -fuzztime=$(FUZZTIME) ./smtpd/mail
	$(GO) test -run='^$$' -fuzz='^FuzzFoldText$$' -fuzztime=$(FUZZTIME) ./smtpd/mail
	$(GO) test -run='^$$' -fuzz='^FuzzClassify$$' -fuzztime=$(FUZZTIME) ./smtpd/mail
	$(GO) test -run='^$$' -fuzz='^FuzzSession$$' -fuzztime=$(FUZZTIME) ./smtpd
	$(GO) test -run='^$$' -fuzz='^FuzzQuery$$' -fuzztime=$(FUZZTIME) ./helpdesk/search
	$(GO) test -run='^$$' -fuzz='^FuzzPostings$$' -fuzztime=$(FUZZTIME) ./helpdesk/search

## bench: durable mails a second beside other servers, 250 to the browser, lists, tickets and searches of large stores (TICKETS=200000, kept in STORE=DIR), and the parts below; writes docs/benchmarks.md
bench:
	@mkdir -p bin
	@stores=$${STORE:-$$(mktemp -d)}; { \
	STORE=$$stores $(GO) test -run='^$$' -bench='Web|Start|Opening|Filled' -benchtime=1x -timeout=60m ./cmd/madoguchi; \
	$(GO) test -run='^$$' -bench=. -benchtime=1x -skip='Web|Start|Opening|Filled' ./cmd/madoguchi; \
	$(GO) test -run='^$$' -bench=Commits -benchtime=16x ./store; \
	$(GO) test -run='^$$' -bench=. -skip=Commits -benchtime=300ms -benchmem ./store ./smtpd/... ./helpdesk/...; \
	} | tee bin/bench.txt; [ -n "$(STORE)" ] || rm -rf "$$stores"
	@$(GO) test -run='^TestBenchmarksPage$$' -count=1 ./cmd/madoguchi -args -bench-output '$(CURDIR)/bin/bench.txt' -bench-page '$(CURDIR)/docs/benchmarks.md'

## crash: kill the program COUNT=300 times under load, and cut the power at every write of the store; about a second a kill
crash: COUNT = 300
crash:
	$(GO) test -run='^TestCrashesUnderLoad' -count=1 -timeout=60m -v ./cmd/madoguchi -args -crashes $(COUNT)
	$(GO) test -run='^TestEveryPowerCut' -count=1 -timeout=60m -v ./store -args -power-cuts $(shell expr 2 \* $(COUNT))

## soak: everything at once for MINUTES=10, ends with the ledger balanced and nothing grown; prints its figures
soak: MINUTES = 10
soak:
	$(GO) test -run='^TestSoak$$' -count=1 -timeout=180m -v ./cmd/madoguchi -args -soak $(MINUTES)m

## screenshots: pictures of every screen into docs/screenshots, of the program at work; needs Chromium
screenshots:
	$(GO) test -run='^TestScreenshots$$' -count=1 -timeout=60m -v ./cmd/madoguchi -args -screenshots '$(CURDIR)/docs/screenshots'

## ollama: build the real Ollama that tests use into the user's cache, at most once; some minutes, needs apt-get
ollama:
	$(GO) test -run='^TestBuild$$' -count=1 -timeout=60m ./helpdesk/analysis/ollamatest -args -build

## ollama-test: the tests that ask a real Ollama, or one line that says why they cannot
ollama-test:
	$(GO) test -count=1 -v -run='^TestReal' ./helpdesk/analysis/... ./cmd/madoguchi

## check: formatting, vet and the table of imports, as the build server does first
check:
	@test -z "$$(gofmt -l .)" || { echo "not formatted (gofmt -w them):"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) test -count=1 -run='^TestImports' ./cmd/madoguchi

clean:
	rm -rf bin
