# make          build ./kit
# make test     everything that go test runs, as the user you are
# make vm-test  the tests in virtual machines: cgroup v2 and v1, amd64 and arm64
# make fuzz     each fuzz test for a minute
# make sweep    kill kit at every call, make every call fail: an hour or two
# make lint     the house's linters, without fixing anything
# make fmt      format, and tidy go.mod
# make bench    docs/speed.md: what containers cost, kit's and others', as root, 6 minutes
# make generate what is generated
# make cover    which lines the tests reach
# make ci       all that a change must pass, as root on a throw-away machine

.PHONY: all build test vm-test fuzz sweep lint fmt bench generate cover ci

all: build

build:
	CGO_ENABLED=0 go build -trimpath -o kit ./cmd/kit

test:
	go test -timeout 30m ./...

vm-test:
	.ci/run machines

fuzz:
	KIT_FUZZ=1m .ci/run fuzz

sweep:
	KIT_SWEEP=full KIT_LIMITS=full go test -count=1 -timeout 0 -v ./cmd/kit \
		-run 'TestKillSweep$$|TestInjectSweep$$|TestMany|TestParallel'

lint:
	golangci-lint run --build-tags vm ./...

fmt:
	gofumpt -w .
	go mod tidy

bench:
	CGO_ENABLED=0 go run ./internal/bench -o docs

generate:
	go generate ./...

cover:
	go test -coverprofile cover.prof -coverpkg ./... ./...
	go tool cover -func cover.prof

ci:
	.ci/run
